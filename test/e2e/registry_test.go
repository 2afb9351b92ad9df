package e2e

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/e2eimage/kubectl-e2eimage/internal/distributiontest"
)

// registryProgram is CNCF's distribution, compiled once.
var registryProgram = sync.OnceValues(func() (string, error) {
	// The suite outlives any test.
	return distributiontest.Build(context.Background(), suite.dir)
})

// pulling is somebody whose images go through a registry, with a login and TLS, that the nodes pull
// from.
type pulling struct {
	*user
	registry *distributiontest.Registry
	// prefix is where their images are.
	prefix string
}

// newPulling starts a registry where the nodes reach it: at the gateway of their network, which is
// this host.
func newPulling(t *testing.T) *pulling {
	t.Helper()
	program, err := registryProgram()
	if err != nil {
		t.Fatal(err)
	}
	gateway := regexp.MustCompile(`via (\S+)`).FindStringSubmatch(onNode(t, suite.nodes[0], "ip", "-4", "route", "show", "default"))
	if gateway == nil {
		t.Fatal("the nodes have no gateway")
	}
	started, err := distributiontest.Start(t.Context(), distributiontest.How{Dir: t.TempDir(), Program: program, IP: gateway[1], Login: true})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(started.Stop)
	p := &pulling{user: newUser(t), registry: started, prefix: started.Host + "/team"}
	p.logIn()
	p.trust()
	return p
}

// logIn gives the user the login and the certificate, and the pods of their namespace the login.
func (p *pulling) logIn() {
	p.t.Helper()
	login := base64.StdEncoding.EncodeToString([]byte(distributiontest.User + ":" + distributiontest.Password))
	auths := `{"auths":{"` + p.registry.Host + `":{"auth":"` + login + `"}}}`
	for file, text := range map[string]string{
		filepath.Join(p.dir, "docker", "config.json"):                                                     auths,
		filepath.Join(p.dir, "home", ".config", "containers", "certs.d", p.registry.Host, "registry.crt"): string(p.registry.CA),
	} {
		if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
			p.t.Fatal(err)
		}
		if err := os.WriteFile(file, []byte(text), 0o644); err != nil {
			p.t.Fatal(err)
		}
	}
	p.env = append(without(p.env, "E2EIMAGE_KIND_CLUSTER"), "DOCKER_CONFIG="+filepath.Join(p.dir, "docker"), "HOME="+filepath.Join(p.dir, "home"),
		"E2EIMAGE_REGISTRY="+p.prefix)
	p.apply(`{apiVersion: v1, kind: Secret, metadata: {name: registry}, type: kubernetes.io/dockerconfigjson, stringData: {.dockerconfigjson: '` + auths + `'}}`)
	p.kubectl("patch", "serviceaccount", "default", "--patch", `{"imagePullSecrets": [{"name": "registry"}]}`)
}

// trust tells the nodes of the registry.
func (p *pulling) trust() {
	p.t.Helper()
	dir := "/etc/containerd/certs.d/" + p.registry.Host
	script := fmt.Sprintf("mkdir -p %[1]s && printf '%%s' '%[2]s' >%[1]s/ca.crt && printf '%%s' '%[3]s' >%[1]s/hosts.toml && echo done", dir, p.registry.CA,
		fmt.Sprintf("server = \"https://%[1]s\"\n[host.\"https://%[1]s\"]\n  capabilities = [\"pull\", \"resolve\"]\n  ca = \"%[2]s/ca.crt\"\n", p.registry.Host, dir))
	for node, said := range onNodes(p.t, "sh", "-c", script) {
		if said != "done" {
			p.t.Fatalf("node %s was not told of the registry: %s", node, said)
		}
	}
	p.t.Cleanup(func() { onNodes(p.t, "rm", "-r", dir) })
}

// client is what another client of the registry uses.
func (p *pulling) client() []remote.Option {
	p.t.Helper()
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.TLSClientConfig = p.registry.Trusting()
	return []remote.Option{
		remote.WithAuth(&authn.Basic{Username: distributiontest.User, Password: distributiontest.Password}), remote.WithTransport(transport),
	}
}

// stands is the digest that a name stands for in the registry, "" for none.
func (p *pulling) stands(image string) string {
	p.t.Helper()
	ref, err := name.ParseReference(image)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := remote.Head(ref, p.client()...)
	if err != nil {
		return ""
	}
	return got.Digest.String()
}

// built puts an image of its own content into the engine.
func (p *pulling) built(ref string) (id string) {
	p.t.Helper()
	return p.inEngine(p.service(ref, text("/version", fmt.Sprint(p.namespace, counter.Add(1)))))
}

// runsPulled deploys an image and wants pods to run it, pulled by its digest.
func (p *pulling) runsPulled(workload, image, id string) {
	p.t.Helper()
	pinned := image + "@" + p.stands(image)
	if got := p.kubectl("get", "deployment", workload, "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != pinned {
		p.t.Errorf("the Deployment has %s, want %s", got, pinned)
	}
	if got := p.runs(id); got < 1 {
		p.t.Errorf("%d containers run %s", got, id)
	}
}

func TestThroughARegistryFromLoadToProof(t *testing.T) {
	t.Parallel()
	p := newPulling(t)
	source := "localhost/kubernaut-datastorage:e2e-test-datastorage-" + p.namespace
	id := p.built(source)
	from := []string{"--source", source, "--consumer", "workflowexecution", "--engine", suite.provider}
	if got, want := p.must(append([]string{"load", "datastorage"}, from...)...), p.prefix+"/datastorage:e2e-test-datastorage-"+p.namespace; got != want {
		t.Errorf("load printed %s, want %s", got, want)
	}
	image := p.must(append([]string{"tag", "datastorage"}, from[:4]...)...)
	if !regexp.MustCompile(`^` + p.prefix + `/datastorage:workflowexecution-[0-9a-f]{8}$`).MatchString(image) {
		t.Fatalf("tag printed %q", image)
	}
	if again := p.must(append([]string{"tag", "datastorage"}, from[:4]...)...); again != image {
		t.Errorf("tagged again it is %s, was %s", again, image)
	}
	p.apply(workload("Deployment", "datastorage", source, 2))
	if got := p.must("deploy", "datastorage"); got != "deployment.apps/datastorage image updated" {
		t.Errorf("deploy printed %q", got)
	}
	p.runsPulled("datastorage", image, id)
	if got := p.must("deploy", "datastorage"); got != "deployment.apps/datastorage unchanged" {
		t.Errorf("deployed again it printed %q", got)
	}
	p.must("verify", "datastorage")
	if got, want := p.must("ref", "datastorage"), image+"@"+p.stands(image); got != want {
		t.Errorf("ref printed %s, want %s", got, want)
	}

	// Stale: the engine has something newer.
	p.built(source)
	p.refused(3, []string{"was rebuilt, but not loaded"}, append([]string{"tag", "datastorage"}, from[:4]...)...)
	p.refused(3, []string{"was rebuilt, but not loaded"}, "deploy", "datastorage")
	p.must(append([]string{"load", "datastorage"}, from...)...)
	p.refused(3, []string{"was loaded, but not tagged"}, "deploy", "datastorage")

	// Foreign: a tag that somebody else gave.
	p.moves(p.prefix+"/datastorage:foreign", image)
	p.refused(3, []string{"is another image already"}, append([]string{"tag", "datastorage", "--tag", "foreign"}, from[:4]...)...)

	// Overwritten behind our back: noticed, and put back. Pods keep their content.
	other := p.must(append([]string{"tag", "datastorage"}, from[:4]...)...)
	p.must("deploy", "datastorage")
	p.moves(other, image)
	if result := p.refused(3, nil, "verify", "datastorage"); !strings.Contains(strings.Join(strings.Fields(result.stdout), " "), "somebody moved "+other) {
		t.Errorf("verify printed %s", result.stdout)
	}
	p.refused(3, []string{"instead of the recorded"}, "deploy", "datastorage")
	if got := p.must(append([]string{"tag", "datastorage"}, from[:4]...)...); got != other {
		t.Errorf("tagged again it is %s, was %s", got, other)
	}
	p.must("verify", "datastorage")

	// Down, and up again.
	p.registry.Stop()
	p.refused(1, []string{"cannot be reached"}, append([]string{"load", "datastorage"}, from...)...)
	if err := p.registry.Again(t.Context()); err != nil {
		t.Fatal(err)
	}
	p.must("verify", "datastorage")

	p.kubectl("delete", "deployment", "datastorage")
	p.must("clean", "datastorage", "--force")
	if p.stands(image) != "" || p.stands(other) != "" {
		t.Errorf("%s or %s is left", image, other)
	}
}

// moves lets a tag stand for what another does, as any client may.
func (p *pulling) moves(tag, to string) {
	p.t.Helper()
	ref, err := name.ParseReference(to)
	if err != nil {
		p.t.Fatal(err)
	}
	got, err := remote.Get(ref, p.client()...)
	if err != nil {
		p.t.Fatal(err)
	}
	target, err := name.NewTag(tag)
	if err == nil {
		err = remote.Tag(target, got, p.client()...)
	}
	if err != nil {
		p.t.Fatal(err)
	}
}

func TestTwoConsumersOfOneRegistryAtOnce(t *testing.T) {
	t.Parallel()
	p := newPulling(t)
	var all sync.WaitGroup
	for _, consumer := range []string{"one", "two"} {
		source := "localhost/" + p.namespace + "-" + consumer + ":dev"
		id := p.built(source)
		p.apply(workload("Deployment", "storage-"+consumer, source, 1))
		all.Go(func() {
			for _, args := range [][]string{
				{"load", "datastorage", "--source", source, "--engine", suite.provider},
				{"tag", "datastorage", "--source", source},
				{"deploy", "datastorage", "--workload", "deployment/storage-" + consumer},
			} {
				if result := p.e2eimage(append(args, "--consumer", consumer)...); result.code != 0 {
					t.Errorf("%s: %v: exit %d: %s", consumer, args, result.code, result.stderr)
				}
			}
			if result := p.e2eimage("verify", "datastorage", "--consumer", consumer); result.code != 0 {
				t.Errorf("%s: %s", consumer, result.stderr)
			}
			got := p.kubectl("get", "configmap", "e2eimage-"+consumer, "-o", `jsonpath={.data.datastorage}`)
			if !strings.Contains(got, id) {
				t.Errorf("%s has recorded\n%s\nwant %s", consumer, got, id)
			}
		})
	}
	all.Wait()
}

func TestAnIndexOfFourPlatformsGoesThroughARegistryAsAWhole(t *testing.T) {
	t.Parallel()
	p := newPulling(t)
	folder, id := p.fourPlatforms()
	from := []string{"--source", "oci:" + folder, "--consumer", "suite"}
	p.must(append([]string{"load", "datastorage"}, from...)...)
	image := p.must(append([]string{"tag", "datastorage"}, from...)...)
	p.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	p.must("deploy", "datastorage")
	p.runsPulled("datastorage", image, id)
	p.must("verify", "datastorage")
	record := p.kubectl("get", "configmap", "e2eimage-suite", "-o", `jsonpath={.data.datastorage}`)
	for _, platform := range []string{"linux/amd64", "linux/arm64", "linux/ppc64le", "linux/s390x"} {
		if !strings.Contains(record, "platform: "+platform) {
			t.Errorf("the record does not have %s:\n%s", platform, record)
		}
	}
	if !strings.Contains(record, "digest: "+p.stands(image)) {
		t.Errorf("the record does not have the index %s:\n%s", p.stands(image), record)
	}
}

// fourPlatforms is an OCI layout with an index of four images, and the image ID of the node's own.
func (p *pulling) fourPlatforms() (folder, id string) {
	p.t.Helper()
	image, err := tarball.ImageFromPath(p.archive(p.service("localhost/"+p.namespace+":dev")), nil)
	if err != nil {
		p.t.Fatal(err)
	}
	var all []mutate.IndexAddendum
	for _, architecture := range []string{"amd64", "arm64", "ppc64le", "s390x"} {
		config, err := image.ConfigFile()
		if err != nil {
			p.t.Fatal(err)
		}
		config = config.DeepCopy()
		config.Architecture = architecture
		one, err := mutate.ConfigFile(image, config)
		if err != nil {
			p.t.Fatal(err)
		}
		all = append(all, mutate.IndexAddendum{Add: one, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: architecture}}})
		if strings.Contains(p.kubectl("get", "nodes", "-o", "jsonpath={.items[0].status.nodeInfo.architecture}"), architecture) {
			digest, err := one.ConfigName()
			if err != nil {
				p.t.Fatal(err)
			}
			id = digest.String()
		}
	}
	folder = filepath.Join(tempDir(p.t), "layout")
	path, err := layout.Write(folder, empty.Index)
	if err == nil {
		err = path.AppendIndex(mutate.AppendManifests(mutate.IndexMediaType(empty.Index, types.OCIImageIndex), all...))
	}
	if err != nil {
		p.t.Fatal(err)
	}
	return folder, id
}

func TestAPullThatCannotSucceedIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	p := newPulling(t)
	source := "localhost/" + p.namespace + ":dev"
	p.built(source)
	p.must("load", "datastorage", "--source", source, "--consumer", "suite", "--engine", suite.provider)
	p.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	p.kubectl("patch", "serviceaccount", "default", "--patch", `{"imagePullSecrets": null}`)
	p.apply(workload("Deployment", "datastorage", source, 1))
	result := p.refused(1, []string{"ErrImagePull", "does not let the nodes pull", "imagePullSecret"}, "deploy", "datastorage")
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
	// Who may not push is told before anything is read.
	login := base64.StdEncoding.EncodeToString([]byte("somebody:else"))
	if err := os.WriteFile(filepath.Join(p.dir, "docker", "config.json"), []byte(`{"auths":{"`+p.registry.Host+`":{"auth":"`+login+`"}}}`), 0o644); err != nil {
		t.Fatal(err)
	}
	p.refused(1, []string{"does not accept the login in", "docker login " + p.registry.Host}, "up", "datastorage", "--source", source, "--consumer", "suite")
}

func TestOneSuiteHasImagesOnNodesAndInARegistry(t *testing.T) {
	t.Parallel()
	p := newPulling(t)
	p.env = append(p.env, "E2EIMAGE_KIND_CLUSTER="+suite.cluster)
	ids := map[string]string{}
	config := "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nconsumer: suite\nengine: " + suite.provider + "\nimages:\n"
	for image, extra := range map[string]string{"pulled": "", "loaded": ", registry: none"} {
		source := "localhost/" + p.namespace + "-" + image + ":dev"
		ids[image] = p.built(source)
		config += fmt.Sprintf("- {name: %s, source: '%s'%s}\n", image, source, extra)
		p.apply(workload("Deployment", image, source, 1))
	}
	if err := os.WriteFile(filepath.Join(p.dir, "e2eimage.yaml"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	p.must("up")
	p.must("verify")
	var status struct {
		Images []struct{ Name, Image, ImageID, Registry, State string }
	}
	if err := json.Unmarshal([]byte(p.must("status", "-o", "json")), &status); err != nil {
		t.Fatal(err)
	}
	for _, image := range status.Images {
		inRegistry := image.Registry == p.prefix && strings.HasPrefix(image.Image, p.prefix+"/pulled:suite-")
		onNodes := image.Registry == "" && strings.HasPrefix(image.Image, "localhost/loaded:suite-")
		if image.ImageID != ids[image.Name] || image.State != "Consistent" || inRegistry != (image.Name == "pulled") || onNodes != (image.Name == "loaded") {
			t.Errorf("%+v", image)
		}
	}
	p.must("clean", "--force")
}
