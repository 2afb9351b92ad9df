package e2e

import (
	"context"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
	"sigs.k8s.io/yaml"
)

// code puts the sources of a service into a folder; it answers what the file build
// says.
func (u *user) code(dir string) {
	u.t.Helper()
	binary, err := os.ReadFile(suite.service)
	if err != nil {
		u.t.Fatal(err)
	}
	u.write(dir+"/service", string(binary))
	if err := os.Chmod(filepath.Join(u.dir, dir, "service"), 0o755); err != nil {
		u.t.Fatal(err)
	}
	u.write(dir+"/Dockerfile", "FROM scratch\nCOPY service build /\nENTRYPOINT [\"/service\"]\n")
	u.write(dir+"/build", "first of "+u.namespace)
}

const configHead = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\n"

// builder is a user with a service that is built from a folder.
func builder(t *testing.T, more string) *user {
	t.Helper()
	u := newUser(t)
	u.builds(u.source(), more)
	return u
}

// builds gives the user a service and a config.
func (u *user) builds(source, more string) {
	u.t.Helper()
	u.code("code")
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+source+
		"\n  build: {context: code}\n"+more)
	u.wipeHost()
}

func (u *user) source() string { return "localhost/" + u.namespace + ":dev" }

// wipeHost takes the user's images out of the engine when the test ends.
func (u *user) wipeHost() {
	u.t.Cleanup(func() {
		for _, name := range u.onHost(context.WithoutCancel(u.t.Context()), u.namespace) {
			_ = exec.Command(suite.provider, "image", "rm", "--force", name).Run()
		}
	})
}

// onHost lists the names in the engine that contain a part.
func (u *user) onHost(ctx context.Context, part string) []string {
	var out []byte
	for try := range 5 {
		var err error
		// Podman fails when an image goes while it lists them.
		if out, err = exec.CommandContext(ctx, suite.provider, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}").Output(); err == nil {
			break
		}
		if try == 4 {
			u.t.Error(err)
		}
	}
	return slices.DeleteFunc(strings.Fields(string(out)), func(name string) bool { return !strings.Contains(name, part) || strings.Contains(name, "<none>") })
}

// locked is what the lock says of an image.
type locked struct {
	Image, ImageID, Engine, EngineID, Via string
	Clusters                              []struct{ Namespace string }
}

func (u *user) lock(consumer string) map[string]locked {
	u.t.Helper()
	text, err := os.ReadFile(filepath.Join(u.dir, ".e2eimage", consumer+".lock.yaml"))
	if os.IsNotExist(err) {
		return nil
	}
	if err != nil {
		u.t.Fatal(err)
	}
	var lock struct{ Images map[string]locked }
	if err := yaml.Unmarshal(text, &lock); err != nil {
		u.t.Fatal(err)
	}
	return lock.Images
}

// answers asks each running pod of an app which build it is.
func (u *user) answers(app string) []string {
	u.t.Helper()
	var pods struct {
		Items []struct {
			Metadata struct{ Name, DeletionTimestamp string }
		}
	}
	if err := json.Unmarshal([]byte(u.kubectl("get", "pods", "-l", "app="+app, "-o", "json")), &pods); err != nil {
		u.t.Fatal(err)
	}
	var builds []string
	for _, pod := range pods.Items {
		if pod.Metadata.DeletionTimestamp != "" {
			continue
		}
		var said struct{ Build string }
		if err := json.Unmarshal([]byte(u.kubectl("get", "--raw", "/api/v1/namespaces/"+u.namespace+"/pods/"+pod.Metadata.Name+":8080/proxy/")), &said); err != nil {
			u.t.Error(err)
		}
		builds = append(builds, said.Build)
	}
	return builds
}

func TestOneTagFromTheBuildToThePod(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	env := u.env
	u.env = append(without(without(slices.Clone(env), "KUBECONFIG"), "E2EIMAGE_KIND_CLUSTER"), "KUBECONFIG="+os.DevNull)
	image := u.must("build")
	if got := u.must("ref", "datastorage"); got != image {
		t.Errorf("without a cluster ref says %s, want %s", got, image)
	}
	if got := u.must("build", "--dry-run"); got != image {
		t.Errorf("a dry run of what would change nothing says %s, want %s", got, image)
	}
	u.env = env
	if got := u.must("load"); got != image {
		t.Errorf("loaded as %s, want %s", got, image)
	}
	if got := u.must("tag"); got != image {
		t.Errorf("tagged as %s, want %s", got, image)
	}
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy")
	lock := u.lock(u.namespace)["datastorage"]
	if lock.Image != image || len(lock.Clusters) != 1 || lock.Clusters[0].Namespace != u.namespace {
		t.Errorf("the lock says %+v", lock)
	}
	if got := u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", `jsonpath={.metadata.annotations.image\.e2eimage\.dev/datastorage}`); got != image {
		t.Errorf("the annotation is %s", got)
	}
	wantEverywhere(t, image, lock.ImageID)
	for _, object := range []string{"deployment/datastorage {.spec.template.spec.containers[0].image}", "pods {.items[0].spec.containers[0].image}"} {
		kind, path, _ := strings.Cut(object, " ")
		if got := u.kubectl("get", kind, "-o", "jsonpath="+path); got != image {
			t.Errorf("%s has %s", kind, got)
		}
	}
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"first of " + u.namespace}) {
		t.Errorf("pods say %v", got)
	}
	if again := u.must("build"); again != image {
		t.Errorf("built again from the same, the tag is %s", again)
	}
}

func TestSuitesThatShareAReferenceDeployTheirOwnCode(t *testing.T) {
	t.Parallel()
	a, b := newUser(t), newUser(t)
	for _, u := range []*user{a, b} {
		u.builds(a.source(), "")
		u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	}
	check := func(when, want string) {
		t.Helper()
		for _, u := range []*user{a, b} {
			if got := u.answers("datastorage"); !slices.Equal(got, []string{want + u.namespace}) {
				t.Errorf("%s: pods of %s say %v", when, u.namespace, got)
			}
		}
	}
	// Alternately: each builds while the other has built but not yet loaded.
	steps := [][]string{{"build"}, {"load"}, {"tag"}, {"deploy"}}
	for _, step := range steps {
		for _, u := range []*user{a, b} {
			u.must(step...)
		}
	}
	check("alternately", "first of ")
	for _, u := range []*user{a, b} {
		u.write("code/build", "second of "+u.namespace)
	}
	var all sync.WaitGroup
	for _, u := range []*user{a, b} {
		all.Go(func() {
			if result := u.e2eimage("up"); result.code != 0 {
				t.Errorf("up of %s: exit %d: %s", u.namespace, result.code, result.stderr)
			}
		})
	}
	all.Wait()
	check("at once", "second of ")
}

func TestUpRepeatsNothingThatIsTrue(t *testing.T) {
	t.Parallel()
	u := builder(t, "- {name: loaded, external: "+"localhost/"+"EXTERNAL"+":dev}\n")
	external := u.service("localhost/" + u.namespace + "-external:dev")
	u.inEngine(external)
	config := filepath.Join(u.dir, "e2eimage.yaml")
	text, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	u.write("e2eimage.yaml", strings.ReplaceAll(string(text), "localhost/EXTERNAL:dev", external.Reference))
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	dry := func(want string, says ...string) {
		t.Helper()
		before := u.changeable()
		result := u.e2eimage("up", "--dry-run")
		said := strings.Join(strings.Fields(result.stderr), " ")
		for _, word := range says {
			if !strings.Contains(said, word) {
				t.Errorf("a dry run does not say %q: %s", word, result.stderr)
			}
		}
		if image := strings.TrimSpace(result.stdout); result.code != 0 || image != want {
			t.Errorf("a dry run ends with %d and prints %q, want %q: %s", result.code, image, want, result.stderr)
		}
		if diff := cmp.Diff(before, u.changeable()); diff != "" {
			t.Errorf("a dry run changed something:\n%s", diff)
		}
	}
	dry("", "datastorage: would run", "would then be loaded, and tagged as localhost/datastorage:"+u.namespace+"-<random>", "would then be deployed to deployment/datastorage")
	image := u.must("up")
	dry(image, "nothing to load or tag", "deployment.apps/datastorage unchanged (dry run)")
	id := u.lock(u.namespace)["datastorage"].ImageID
	wantEverywhere(t, image, id)
	generation := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}")
	version := u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", "jsonpath={.metadata.resourceVersion}")
	again := u.e2eimage("up")
	if again.code != 0 || strings.TrimSpace(again.stdout) != image {
		t.Errorf("again: exit %d, %s: %s", again.code, again.stdout, again.stderr)
	}
	for _, word := range []string{"nothing changed since it was built", "nothing to load or tag"} {
		if !strings.Contains(again.stderr, word) {
			t.Errorf("it does not say %q: %s", word, again.stderr)
		}
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}"); got != generation {
		t.Errorf("the generation was %s and is %s", generation, got)
	}
	if got := u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", "jsonpath={.metadata.resourceVersion}"); got != version {
		t.Errorf("the record was written again")
	}

	u.write("code/build", "second of "+u.namespace)
	dry("", "datastorage: would run", "would then be loaded")
	second := u.must("up")
	if second == image || u.lock(u.namespace)["datastorage"].Image != second {
		t.Errorf("after a change it is %s, before it was %s", second, image)
	}
	if got := u.runs(u.lock(u.namespace)["datastorage"].ImageID); got != 1 {
		t.Errorf("%d containers run it", got)
	}

	u.refused(1, []string{`but in namespace "` + u.namespace + `"`, "-n " + u.namespace}, "clean", "-n", "default")
	u.must("clean", "--scope", "host", "--older-than", "1h")
	if got := u.must("clean", "--scope", "host", "--keep", "0"); strings.Contains(got, second) || strings.Contains(got, "lock") {
		t.Errorf("cleaning up what was before takes %s", got)
	}
	if got := u.lock(u.namespace)["datastorage"].Image; got != second {
		t.Errorf("the lock has %q", got)
	}
	u.must("verify")
	// What e2eimage.yaml says is deployed has to be.
	u.kubectl("delete", "deployment", "datastorage")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 0))
	if result := u.e2eimage("verify"); result.code != 3 || !strings.Contains(result.stdout, "is to run localhost/none:none in container datastorage instead of") {
		t.Errorf("with a foreign image verify ends with %d: %s%s", result.code, result.stdout, result.stderr)
	}
}

// changeable is all that a run changes: record, workloads, lock, and nodes.
func (u *user) changeable() []any {
	u.t.Helper()
	all := []any{
		u.kubectl("get", "configmaps", "-l", "app.kubernetes.io/managed-by=kubectl-e2eimage", "-o", "jsonpath={.items[*].metadata.name} {.items[*].metadata.resourceVersion}"),
		u.kubectl("get", "deployments", "-o", "jsonpath={.items[*].metadata.name} {.items[*].metadata.generation}"),
		u.lock(u.namespace),
	}
	on := imagesOn(u.t)
	for _, node := range suite.nodes {
		all = append(all, on[node].with(u.namespace))
	}
	return all
}

func TestUpWithoutAClusterBuilds(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.env = append(without(slices.Clone(u.env), "E2EIMAGE_KIND_CLUSTER"), "E2EIMAGE_KIND_CLUSTER=none-of-that-name")
	u.refused(1, []string{"none-of-that-name", "built. When the cluster is there: kubectl e2eimage up"}, "up")
	if entry := u.lock(u.namespace)["datastorage"]; entry.Image == "" || !slices.Contains(u.onHost(t.Context(), u.namespace), entry.Image) {
		t.Errorf("the lock says %+v, the host has %v", entry, u.onHost(t.Context(), u.namespace))
	}
}
