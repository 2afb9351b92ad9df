package e2eimage

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/google/go-containerregistry/pkg/name"
	registryfake "github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// registryBench is a cluster that is nobody's Kind, with a registry that its nodes pull from, and a host
// with an engine.
type registryBench struct {
	t *testing.T
	// host of the registry.
	host   string
	api    *kubetest.API
	docker *enginetest.Engine

	mu       sync.Mutex
	registry http.Handler
	// asked are the requests since the last time; fail answers in the registry's place where it
	// returns true.
	asked []string
	fail  func(http.ResponseWriter, *http.Request) bool
	said  []string
	ran   map[string]string
}

func newRegistryBench(t *testing.T) *registryBench {
	t.Helper()
	b := &registryBench{t: t, docker: enginetest.New(enginetest.Docker), ran: map[string]string{}}
	b.api = kubetest.New(b)
	(&bench{t: t, api: b.api}).inNamespace()
	b.empties()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		b.mu.Lock()
		b.asked = append(b.asked, r.Method+" "+r.URL.Path)
		fail, real := b.fail, b.registry
		b.mu.Unlock()
		if fail == nil || !fail(w, r) {
			real.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(server.Close)
	where, err := url.Parse(server.URL)
	if err != nil {
		t.Fatal(err)
	}
	b.host = where.Host
	return b
}

// Nodes implements kubetest.Nodes.
func (b *registryBench) Nodes() []string { return []string{"node-1", "node-2"} }

// Start implements kubetest.Nodes: it pulls.
func (b *registryBench) Start(_, namespace, pod, image string) (containerID, imageID string, err error) {
	ref, err := name.ParseReference(image)
	if err != nil {
		return "", "", err
	}
	got, err := remote.Get(ref)
	if err != nil {
		return "", "", err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	b.ran[namespace+"/"+pod] = image
	return "c-" + pod, ref.Context().Name() + "@" + got.Digest.String(), nil
}

// Stop implements kubetest.Nodes.
func (b *registryBench) Stop(_, namespace, pod string) {
	b.mu.Lock()
	defer b.mu.Unlock()
	delete(b.ran, namespace+"/"+pod)
}

// running are the images that pods run, each once.
func (b *registryBench) running() []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	found := map[string]bool{}
	for _, image := range b.ran {
		found[image] = true
	}
	return sortedKeys(found)
}

func (b *registryBench) client() *Client {
	b.t.Helper()
	kubeconfig := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": {Server: "https://cluster.example", CertificateAuthorityData: newCA(b.t)}},
		Contexts:       map[string]*clientcmdapi.Context{"remote": {Cluster: "c", Namespace: namespace}},
		CurrentContext: "remote",
	}
	loader := clientcmd.NewDefaultClientConfig(kubeconfig, &clientcmd.ConfigOverrides{})
	client, err := New(Options{Kube: genericclioptions.NewTestConfigFlags().WithClientConfig(loader), Reporter: &registryListener{bench: b}})
	if err != nil {
		b.t.Fatal(err)
	}
	client.runner = b.docker
	client.connect = func(*rest.Config) (kube.API, error) { return b.api, nil }
	return client
}

// suite is one whose images go through the registry, below team.
func (b *registryBench) suite(consumer string, names ...string) config.Suite {
	s := suite(consumer, names...)
	s.Engine, s.Registry, s.Freshness = "docker", b.host+"/team", config.FreshnessWarn
	for i, image := range s.Images {
		s.Images[i].Deploy = config.Deploy{
			Workloads: []string{"deployment/" + image.Name}, Timeout: config.DefaultTimeout, MaxRestarts: config.DefaultMaxRestarts,
		}
	}
	return s
}

// fromElsewhere is what is known of a suite in another folder: its consumer and names.
func fromElsewhere(consumer string, names ...string) config.Suite {
	s := config.Suite{Consumer: consumer, KeepPrevious: config.DefaultKeepPrevious, Freshness: config.FreshnessWarn, Engine: "docker"}
	for _, name := range names {
		s.Images = append(s.Images, config.Image{Name: name, TagTemplate: config.DefaultTagTemplate, Deploy: config.Deploy{
			Workloads: []string{"deployment/" + name}, Timeout: config.DefaultTimeout, MaxRestarts: config.DefaultMaxRestarts,
		}})
	}
	return s
}

// builds puts an image of a content into the engine, as a build does, and returns its ID.
func (b *registryBench) builds(name, content string) string {
	image := enginetest.NewImage(content)
	b.docker.Put("localhost/"+name+":dev", image)
	return image.ID()
}

// recorded builds, loads and tags an image, and returns what is recorded.
func (b *registryBench) recorded(consumer, name, content string) TaggedImage {
	b.t.Helper()
	b.builds(name, content)
	if _, err := b.client().Load(b.t.Context(), LoadInput{Suite: b.suite(consumer, name)}); err != nil {
		b.t.Fatal(err)
	}
	tagged, err := b.client().Tag(b.t.Context(), TagInput{Suite: b.suite(consumer, name)})
	if err != nil {
		b.t.Fatal(err)
	}
	return tagged.Images[0]
}

// deployment makes one that runs something else so far.
func (b *registryBench) deployment(name string) {
	b.t.Helper()
	labels := map[string]string{"app": name}
	_, err := b.api.AppsV1().Deployments(namespace).Create(b.t.Context(), &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(2)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: "localhost/none:none", ImagePullPolicy: corev1.PullAlways}}},
			},
		},
	}, metav1.CreateOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
}

// stands is the digest that a tag stands for in the registry, "" for none.
func (b *registryBench) stands(tag string) string {
	b.t.Helper()
	ref, err := name.ParseReference(tag)
	if err != nil {
		b.t.Fatal(err)
	}
	got, err := remote.Head(ref)
	if err != nil {
		return ""
	}
	return got.Digest.String()
}

// pushes lets a tag stand for what another does, as any client may.
func (b *registryBench) pushes(tag, from string) {
	b.t.Helper()
	source, err := name.ParseReference(from)
	if err != nil {
		b.t.Fatal(err)
	}
	image, err := remote.Image(source)
	if err != nil {
		b.t.Fatal(err)
	}
	target, err := name.NewTag(tag)
	if err == nil {
		err = remote.Write(target, image)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// deletes takes a tag away, as any client may.
func (b *registryBench) deletes(tag string) {
	b.t.Helper()
	target, err := name.NewTag(tag)
	if err == nil {
		err = remote.Delete(target)
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

// empties takes all away that the registry has.
func (b *registryBench) empties() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.registry = registryfake.New(registryfake.Logger(log.New(io.Discard, "", 0)))
}

// announces lets the cluster announce a registry, nothing for "".
func (b *registryBench) announces(text string) {
	b.t.Helper()
	maps := b.api.CoreV1().ConfigMaps("kube-public")
	if text == "" {
		if err := maps.Delete(b.t.Context(), "local-registry-hosting", metav1.DeleteOptions{}); err != nil {
			b.t.Fatal(err)
		}
		return
	}
	if _, err := maps.Create(b.t.Context(), &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-public", Name: "local-registry-hosting"},
		Data:       map[string]string{"localRegistryHosting.v1": text},
	}, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

// recordsOf are the annotations of a consumer's ConfigMap, by image name.
func (b *registryBench) recordsOf(consumer string) map[string]string {
	b.t.Helper()
	return (&bench{t: b.t, api: b.api}).records(consumer)
}

// built is a suite that builds an image from a folder, which is returned, too.
func (b *registryBench) built(consumer, name string) (config.Suite, string) {
	b.t.Helper()
	dir := b.t.TempDir()
	tree := filepath.Join(dir, "code")
	if err := os.Mkdir(tree, 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(tree, "Dockerfile"), []byte("FROM scratch\nCOPY content /\n"), 0o644); err != nil {
		b.t.Fatal(err)
	}
	b.edit(tree, "first")
	s := b.suite(consumer, name)
	s.File, s.LockDir = filepath.Join(dir, "e2eimage.yaml"), filepath.Join(dir, ".e2eimage")
	s.Images[0].Build = &config.Build{Context: tree, Dir: dir}
	return s, tree
}

func (b *registryBench) edit(tree, content string) {
	b.t.Helper()
	if err := os.WriteFile(filepath.Join(tree, "content"), []byte(content), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// since are the requests to the registry since the last time, of one kind, such as "PUT /v2/".
func (b *registryBench) since(kind string) []string {
	b.mu.Lock()
	defer b.mu.Unlock()
	var found []string
	for _, one := range b.asked {
		if strings.HasPrefix(one, kind) {
			found = append(found, one)
		}
	}
	b.asked = nil
	return found
}

func (b *registryBench) failing(fail func(http.ResponseWriter, *http.Request) bool) {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.fail = fail
}

// words are what was said since they were asked for last.
func (b *registryBench) words() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	said := strings.Join(b.said, "\n")
	b.said = nil
	return said
}

// registryListener hears what a verb tells.
type registryListener struct {
	progress.Discard
	bench *registryBench
}

func (l *registryListener) note(format string, args ...any) {
	l.bench.mu.Lock()
	defer l.bench.mu.Unlock()
	l.bench.said = append(l.bench.said, fmt.Sprintf(format, args...))
}

func (l *registryListener) Info(message string) { l.note("%s", message) }
func (l *registryListener) Warn(message string) { l.note("warning: %s", message) }
