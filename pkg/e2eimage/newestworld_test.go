package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// world is a host, a cluster, and suites that use both. Nothing in it is real.
type world struct {
	newesttest.Traits
	bench
	dir     string
	engines []*enginetest.Engine
	suites  []*suiteInWorld
	known   *newesttest.Model

	mu   sync.Mutex
	said []string
}

// suiteInWorld is one consumer with its folder.
type suiteInWorld struct {
	consumer, source, dir, tree, archive string
	// deployed is set once it was.
	deployed bool
}

func newWorld(t *testing.T, of newesttest.Traits, ca []byte) *world {
	t.Helper()
	names := []string{"dev-control-plane", "dev-worker", "dev-worker2"}[:of.Nodes]
	w := &world{Traits: of, dir: t.TempDir(), bench: bench{
		t: t, kube: clientcmdapi.Cluster{Server: "https://127.0.0.1:6443", CertificateAuthorityData: ca},
		cluster: kindnodetest.New("dev", ca, names...),
	}}
	w.bench.api = kubetest.New(w.cluster)
	w.bench.inNamespace()
	w.engines = []*enginetest.Engine{enginetest.New(enginetest.Kind(of.Engine))}
	if w.engines[0].Kind != enginetest.Podman {
		// The nodes are podman's.
		w.engines = append(w.engines, enginetest.New(enginetest.Podman))
	}
	w.known = newesttest.NewModel(of.Suites)
	for i := range of.Suites {
		w.add(i)
	}
	return w
}

func (w *world) add(i int) {
	w.t.Helper()
	consumer := string(rune('a' + i))
	s := &suiteInWorld{consumer: consumer, source: "localhost/datastorage-" + consumer + ":dev", dir: filepath.Join(w.dir, consumer)}
	if w.OneFolder {
		s.dir = w.dir
	}
	s.tree, s.archive = filepath.Join(s.dir, "code-"+consumer), filepath.Join(s.dir, consumer+".tar")
	if w.OneTree {
		s.tree = filepath.Join(w.dir, "code")
	}
	if w.Shared {
		s.source, s.archive = "localhost/datastorage:dev", filepath.Join(w.dir, "shared.tar")
	}
	w.suites = append(w.suites, s)
	if err := os.MkdirAll(s.tree, 0o755); err != nil {
		w.t.Fatal(err)
	}
	w.edit(s, "v0")
	labels := map[string]string{"app": s.workload()}
	deployment := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: s.workload()},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: "localhost/none:none", ImagePullPolicy: corev1.PullNever}}},
			},
		},
	}
	if _, err := w.bench.api.AppsV1().Deployments(namespace).Create(w.t.Context(), deployment, metav1.CreateOptions{}); err != nil {
		w.t.Fatal(err)
	}
}

func (s *suiteInWorld) workload() string { return "datastorage-" + s.consumer }

func (w *world) edit(s *suiteInWorld, content string) {
	w.t.Helper()
	if w.OneTree {
		content += " of all"
	} else {
		content += " of " + s.consumer
	}
	if err := os.WriteFile(filepath.Join(s.tree, "content"), []byte(content), 0o644); err != nil {
		w.t.Fatal(err)
	}
}

// suite is what a config file in the suite's folder says.
func (w *world) suite(s *suiteInWorld) config.Suite {
	image := config.Image{Name: "datastorage", Source: s.source, TagTemplate: config.DefaultTagTemplate, Deploy: s.deploy()}
	build := &config.Build{Context: s.tree, Dir: s.dir}
	switch w.Origin {
	case newesttest.ByBuild:
		image.Build = build
	case newesttest.ByCommand:
		build.Command = []string{"make", s.tree, s.source}
		image.Build = build
	case newesttest.ByArchive:
		image.Source = "docker-archive:" + s.archive
	case newesttest.ByPrebuilt:
		image.Build, image.Prebuilt = build, "docker-archive:"+s.archive
	case newesttest.ByEngine, newesttest.ByNodes:
	}
	suite := config.Suite{
		Consumer: s.consumer, Namespace: namespace, Engine: w.engines[0].Command(), Freshness: config.FreshnessWarn,
		Prebuilt: config.PrebuiltPrefer, KeepPrevious: config.DefaultKeepPrevious, File: filepath.Join(s.dir, "e2eimage.yaml"), Images: []config.Image{image},
	}
	if w.Locked {
		suite.LockDir = s.lockDir()
	}
	if w.Grouped {
		suite.TagGroup = "chart"
	}
	return suite
}

func (s *suiteInWorld) lockDir() string { return filepath.Join(s.dir, ".e2eimage") }

func (s *suiteInWorld) deploy() config.Deploy {
	return config.Deploy{Workloads: []string{"deployment/" + s.workload()}, Timeout: config.DefaultTimeout, MaxRestarts: config.DefaultMaxRestarts}
}

// elsewhere is the suite as a folder without config and lock knows it.
func (w *world) elsewhere(s *suiteInWorld) config.Suite {
	return config.Suite{
		Consumer: s.consumer, Namespace: namespace, Freshness: config.FreshnessWarn, KeepPrevious: config.DefaultKeepPrevious,
		Images: []config.Image{{Name: "datastorage", TagTemplate: config.DefaultTagTemplate, Deploy: s.deploy()}},
	}
}

// process is a client as another process would have it.
func (w *world) process() *Client {
	client := w.client()
	client.runner, client.report = w, &listener{world: w}
	return client
}

// Run implements hostexec.Runner.
func (w *world) Run(ctx context.Context, command hostexec.Command) error {
	if command.Argv[0] == "make" {
		_, err := w.engines[0].Build(command.Argv[1], command.Argv[2])
		return err
	}
	for _, engine := range w.engines {
		if engine.Runs(command.Argv) {
			return engine.Run(ctx, command)
		}
	}
	return w.cluster.Run(ctx, command)
}

// runs are the image IDs that the suite's pods run.
func (w *world) runs(s *suiteInWorld) []string {
	var ids []string
	for pod, id := range w.cluster.Running(namespace) {
		if strings.HasPrefix(pod, s.workload()+"-") {
			ids = append(ids, id)
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids)
}

// onHost is the image ID that this host has for the suite's source, "" for none.
func (w *world) onHost(s *suiteInWorld) string {
	if w.Origin == newesttest.ByArchive || w.takesArchive(s) {
		return w.known.OnHost(s.archive)
	}
	return w.engines[0].Has(s.source)
}

// takesArchive tells whether there is an archive that takes the place of the build.
func (w *world) takesArchive(s *suiteInWorld) bool {
	return w.Origin == newesttest.ByPrebuilt && w.known.OnHost(s.archive) != ""
}

// archived writes the image of a content into the suite's archive.
func (w *world) archived(s *suiteInWorld) (id string, err error) {
	content, err := enginetest.ContentOf(s.tree)
	if err != nil {
		return "", err
	}
	image := enginetest.NewImage(content)
	file, err := os.Create(s.archive)
	if err != nil {
		return "", err
	}
	return image.ID(), errors.Join(image.Archive(file, s.source), file.Close())
}

// content is what the image of an ID was built from.
func (w *world) content(id string) string {
	for _, s := range w.suites {
		for i := range 30 {
			for _, of := range []string{"all", s.consumer} {
				text := fmt.Sprintf("v%d of %s", i, of)
				if enginetest.NewImage("/content: "+text+"\n").ID() == id {
					return text
				}
			}
		}
	}
	return id
}

// words are what the step has said since it was asked last.
func (w *world) words() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	said := w.said
	w.said = nil
	return said
}

// listener hears what a verb tells.
type listener struct {
	progress.Discard
	world *world
}

func (l *listener) note(message string) {
	l.world.mu.Lock()
	defer l.world.mu.Unlock()
	l.world.said = append(l.world.said, message)
}

func (l *listener) Info(message string) { l.note(message) }
func (l *listener) Warn(message string) { l.note("warning: " + message) }
