package e2eimage

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// defined is a suite in Go with datastorage, on the bench.
func (b *bench) defined(definition Definition) *Suite {
	b.t.Helper()
	if definition.Images == nil {
		definition.Images = []ImageDefinition{{Name: "datastorage", Source: source}}
	}
	if definition.Consumer == "" {
		definition.Consumer = "suite"
	}
	s, err := Define(Options{Dir: b.t.TempDir(), KindCluster: "dev", LookupEnv: nothingSet}, definition)
	if err != nil {
		b.t.Fatal(err)
	}
	client := b.client()
	client.options.Dir = s.client.options.Dir
	s.client = client
	return s
}

func nothingSet(string) (string, bool) { return "", false }

func TestADefinitionsZeroValuesAreTheDefaults(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	s, err := Define(Options{Dir: dir, LookupEnv: nothingSet}, Definition{Consumer: "suite", Images: []ImageDefinition{
		{Name: "datastorage", Build: &BuildDefinition{File: "docker/ds.Dockerfile"}},
		{Name: "gateway", Source: "oci:out/gateway", Deploy: DeployDefinition{Workloads: []string{}, MaxRestarts: -1, Timeout: time.Second}},
	}})
	if err != nil {
		t.Fatal(err)
	}
	want := config.Suite{
		Consumer: "suite", Prebuilt: config.PrebuiltPrefer, Freshness: config.FreshnessWarn, KeepPrevious: config.DefaultKeepPrevious,
		LockDir: filepath.Join(dir, ".e2eimage"), Images: []config.Image{
			{
				Name: "datastorage", TagTemplate: config.DefaultTagTemplate, Build: &config.Build{Context: dir, Dir: dir, File: filepath.Join(dir, "docker/ds.Dockerfile")},
				Deploy: config.Deploy{Workloads: []string{"deployment/datastorage"}, Timeout: config.DefaultTimeout, MaxRestarts: config.DefaultMaxRestarts},
			},
			{
				Name: "gateway", TagTemplate: config.DefaultTagTemplate, Source: "oci:" + filepath.Join(dir, "out/gateway"),
				Deploy: config.Deploy{Workloads: []string{}, Timeout: time.Second},
			},
		},
	}
	if diff := cmp.Diff(want, s.suite, cmpopts.IgnoreFields(config.Suite{}, "Hints")); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	keepsNone, err := Define(Options{Dir: dir, LookupEnv: nothingSet}, Definition{Consumer: "suite", KeepPrevious: -1, Images: []ImageDefinition{{Name: "a"}}})
	if err != nil || keepsNone.suite.KeepPrevious != 0 {
		t.Errorf("keeps %d, %v", keepsNone.suite.KeepPrevious, err)
	}
}

func TestWhatADefinitionSaysWinsOverTheEnvironmentAndThatOverTheDefaults(t *testing.T) {
	t.Parallel()
	variables := func(key string) (string, bool) {
		value, set := map[string]string{"E2EIMAGE_NAMESPACE": "of-ci", "E2EIMAGE_ENGINE": "podman", "KIND_CLUSTER_NAME": "ci"}[key]
		return value, set
	}
	s, err := Define(Options{Dir: t.TempDir(), LookupEnv: variables}, Definition{Consumer: "suite", Namespace: "mine", Images: []ImageDefinition{{Name: "a"}}})
	if err != nil {
		t.Fatal(err)
	}
	if s.suite.Namespace != "mine" || s.suite.Engine != "podman" || s.suite.KindCluster != "ci" {
		t.Errorf("%+v", s.suite)
	}
}

func TestAllMistakesOfADefinitionAreSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Define(Options{Dir: t.TempDir(), LookupEnv: nothingSet}, Definition{Consumer: "Not One", Freshness: "fresh", Images: []ImageDefinition{
		{Name: "a", Deploy: DeployDefinition{Workloads: []string{"deploy"}, PullPolicy: "Sometimes"}},
		{Name: "a", External: "docker.io/library/postgres:16", Source: "x", Build: &BuildDefinition{Args: map[string]string{"A": "{{.No}}"}}},
	}})
	is[*UsageError](t, err, "Definition.Consumer", "Definition.Freshness", "Definition.Images[0].Deploy.Workloads[0]", "Definition.Images[0].Deploy.PullPolicy",
		"Definition.Images[1].Name", "Definition.Images[1].External", `Definition.Images[1].Build.Args["A"]`)
	_, err = Define(Options{Dir: t.TempDir(), LookupEnv: nothingSet}, Definition{Consumer: "suite"})
	is[*UsageError](t, err, "Definition.Images")
	if strings.Contains(err.Error(), "apiVersion") {
		t.Errorf("a Go user is shown YAML: %v", err)
	}
}

func TestOpenReadsTheFileAsTheCommandLineDoes(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	text := "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages:\n- {name: a, source: 'localhost/a:dev'}\nsuites:\n- {consumer: one, kindCluster: k1}\n- {consumer: two, kindCluster: k2}\n"
	below := filepath.Join(dir, "test", "e2e")
	if err := errors.Join(os.MkdirAll(below, 0o755), os.Mkdir(filepath.Join(dir, ".git"), 0o755), os.WriteFile(filepath.Join(dir, "e2eimage.yaml"), []byte(text), 0o644)); err != nil {
		t.Fatal(err)
	}
	s, err := Open(Options{Dir: below, LookupEnv: nothingSet}, "two")
	if err != nil || s.Consumer() != "two" || s.suite.KindCluster != "k2" || s.suite.LockDir != filepath.Join(dir, ".e2eimage") {
		t.Errorf("%+v, %v", s, err)
	}
	_, err = Open(Options{Dir: below, LookupEnv: nothingSet}, "three")
	is[*UsageError](t, err, `no suite "three"`)
	_, err = Open(Options{Dir: t.TempDir(), LookupEnv: nothingSet}, "one")
	is[*UsageError](t, err, "there is no e2eimage.yaml", "e2eimage.Define")
}

func TestASuiteIsTaggedReadAndTakenDown(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.defined(Definition{})
	tagged, err := s.Tag(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	image, err := tagged.Get("datastorage")
	if err != nil || image.Repository != "localhost/datastorage" || image.ImageID != imageID || tagged.Consumer != "suite" || tagged.Namespace != namespace {
		t.Errorf("%+v, %v", tagged, err)
	}
	read, err := s.Images(t.Context(), Prefer(UseCluster))
	if err != nil || read.Image("datastorage") != image.Image {
		t.Errorf("%+v, %v", read, err)
	}
	if arguments, err := tagged.HelmArgs(); err != nil || len(arguments) != 4 {
		t.Errorf("%v, %v", arguments, err)
	}
	rendered, err := s.Render(t.Context(), Manifests(Manifest{Text: []byte("image: e2eimage://datastorage\n")}))
	if err != nil || string(rendered[0].Text) != "image: "+image.Image+"\n" {
		t.Errorf("%s, %v", rendered, err)
	}
	status, err := s.Status(t.Context())
	if err != nil || status.Images[0].State != StateNotRunning && status.Images[0].State != StateConsistent {
		t.Errorf("%+v, %v", status, err)
	}
	for range 2 {
		// The second time nothing is there.
		if err := s.Down(t.Context()); err != nil || len(b.cluster.Tags()) > 0 || len(b.records("suite")) > 0 {
			t.Errorf("%v; left %v, %v", err, b.cluster.Tags(), b.records("suite"))
		}
	}
	if _, err := s.Images(t.Context()); CodeOf(err) != CodeNotRecorded {
		t.Errorf("%v", err)
	}
}

func TestDownLeavesWhatIsInUseAndRemovesOnlyItsOwnWorkloads(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.defined(Definition{})
	image := b.tagged("suite")
	b.marked("datastorage", image, "suite")
	b.marked("other", "localhost/other:t", "another")
	b.marked("nobodys", "localhost/other:t", "")
	var inUse *InUseError
	if err := s.Down(t.Context()); !errors.As(err, &inUse) || inUse.Left[0].Workload != "deployment.apps/datastorage" {
		t.Errorf("%v", err)
	}
	if err := s.Down(t.Context(), RemoveWorkloads()); err != nil {
		t.Error(err)
	}
	if left := b.deployments(); !cmp.Equal(left, []string{"nobodys", "other"}) || len(b.cluster.Tags()) > 0 {
		t.Errorf("left %v, %v", left, b.cluster.Tags())
	}
}

func TestAPartOfASuiteIsWorkedOnAlone(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.cluster.Load("localhost/gateway:dev", otherID)
	s := b.defined(Definition{Images: []ImageDefinition{{Name: "datastorage", Source: source}, {Name: "gateway", Source: "localhost/gateway:dev"}}})
	tagged, err := s.Tag(t.Context(), Only("gateway"))
	if err != nil || len(tagged.Images) != 1 || tagged.Image("gateway") == "" {
		t.Errorf("%+v, %v", tagged, err)
	}
	_, err = s.Tag(t.Context(), Only("gatewya", "none"), Wait())
	is[*UsageError](t, err, `no image "gatewya"`, `did you mean "gateway"?`, `no image "none"`, "Wait means nothing to Tag")
	if _, err := s.Tag(t.Context()); err != nil {
		t.Error(err)
	}
	if err := s.Down(t.Context(), Only("gateway")); err != nil || len(b.records("suite")) != 1 {
		t.Errorf("%v, %v", b.records("suite"), err)
	}
}

func TestATimeoutOfOneCallChangesNoOther(t *testing.T) {
	t.Parallel()
	s := newBench(t).defined(Definition{})
	_, chosen, _, err := s.call(t.Context(), VerbUp, []Option{WithTimeout(time.Second), WithPrebuilt(config.PrebuiltIgnore)})
	if err != nil || chosen.Images[0].Deploy.Timeout != time.Second || chosen.Prebuilt != config.PrebuiltIgnore {
		t.Errorf("%+v, %v", chosen, err)
	}
	if s.suite.Images[0].Deploy.Timeout != config.DefaultTimeout || s.suite.Prebuilt != config.PrebuiltPrefer {
		t.Errorf("the suite was changed: %+v", s.suite)
	}
}

func TestABuildNeedsNoFile(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"datastorage": "FROM scratch\n"})
	s, err := Define(Options{Dir: h.dir, LookupEnv: nothingSet}, Definition{
		Consumer: "suite", Engine: "podman", Images: []ImageDefinition{{Name: "datastorage", Build: &BuildDefinition{Context: "datastorage"}}},
	})
	if err != nil {
		t.Fatal(err)
	}
	s.client = h.client()
	built, err := s.Build(t.Context())
	if err != nil || !strings.HasPrefix(built.Images[0].Image, "localhost/datastorage:suite-") {
		t.Fatalf("%+v, %v", built, err)
	}
	images, err := s.Images(t.Context())
	if err != nil || images.Image("datastorage") != built.Images[0].Image || images.From != UseLock {
		t.Errorf("%+v, %v", images, err)
	}
	if _, err := os.Stat(filepath.Join(h.dir, ".e2eimage", "suite.lock.yaml")); err != nil {
		t.Error(err)
	}
}

// marked is a Deployment that a consumer has deployed.
func (b *bench) marked(name, image, consumer string) {
	b.t.Helper()
	labels := map[string]string{"app": name}
	d := &appsv1.Deployment{ObjectMeta: called(name), Spec: appsv1.DeploymentSpec{
		Replicas: new(int32(0)), Selector: &metav1.LabelSelector{MatchLabels: labels},
		Template: corev1.PodTemplateSpec{ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: podOf(image)},
	}}
	if d.UID = types.UID(name); consumer != "" {
		d.Annotations = map[string]string{kube.ConsumerAnnotation: consumer}
	}
	if err := b.api.Tracker().Add(d); err != nil {
		b.t.Fatal(err)
	}
}

func (b *bench) deployments() []string {
	b.t.Helper()
	listed, err := b.api.AppsV1().Deployments(namespace).List(b.t.Context(), metav1.ListOptions{})
	if err != nil {
		b.t.Fatal(err)
	}
	var names []string
	for _, one := range listed.Items {
		names = append(names, one.Name)
	}
	return names
}

func TestAFailureIsExplainedInAFolder(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := b.defined(Definition{})
	_, err := s.Deploy(t.Context(), Diagnostics("artifacts"))
	found, _ := filepath.Glob(filepath.Join(s.client.options.Dir, "artifacts", "suite-*", "summary.txt"))
	if len(found) != 1 || CodeOf(err) != CodeNotRecorded || !strings.Contains(err.Error(), filepath.Dir(found[0])) {
		t.Errorf("%v, %v", found, err)
	}
	var finding *Error
	if !errors.As(err, &finding) || finding.Image != "datastorage" {
		t.Errorf("%+v", finding)
	}
	result, err := s.Diagnose(t.Context(), errors.New("a spec failed"), Diagnostics(t.TempDir()))
	if err != nil || len(result.Files) == 0 {
		t.Errorf("%+v, %v", result, err)
	}
	_, err = s.Diagnose(t.Context(), nil)
	is[*UsageError](t, err, "Diagnostics is missing")
}
