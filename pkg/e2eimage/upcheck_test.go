package e2eimage

import (
	"context"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// inNamespace makes the namespace that the bench's context has.
func (b *bench) inNamespace() {
	b.t.Helper()
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: namespace}}
	if _, err := b.api.CoreV1().Namespaces().Create(b.t.Context(), made, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
}

func pod(image string) []Manifest {
	return []Manifest{{Name: "pod.yaml", Text: []byte(`{apiVersion: v1, kind: Pod, metadata: {name: x}, spec: {containers: [{name: x, image: "` + image + `"}]}}`)}}
}

func TestWhatWouldStopUpIsFoundBeforeAnythingIsDone(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		recorded  bool
		names     []string
		manifests []Manifest
		missing   bool
		says      []string
	}{
		"a mistyped name with manifests": {
			recorded: true, names: []string{"datastorag"}, manifests: pod("e2eimage://datastorage"),
			says: []string{"datastorag: nothing in the manifests has it; looked for e2eimage://datastorag", "did you mean datastorage?"},
		},
		"a mistyped name, before anything is recorded": {
			names: []string{"datastorag"}, manifests: pod("e2eimage://datastorage"),
			says: []string{"pod.yaml:1: e2eimage://datastorage: no image of that name is recorded; there is datastorag"},
		},
		"manifests without the image": {
			names: []string{"datastorage"}, manifests: pod("registry.k8s.io/pause"), says: []string{"datastorage: nothing in the manifests has it"},
		},
		"a namespace that does not exist": {
			names: []string{"datastorage"}, missing: true, says: []string{`namespace "tests" does not exist`, "kubectl create namespace tests"},
		},
	} {
		for _, dry := range []bool{false, true} {
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				b := newBench(t)
				if !test.missing {
					b.inNamespace()
				}
				if test.recorded {
					b.tagged("suite")
				}
				calls, writes := len(b.cluster.Tags()), len(b.writes())
				s := suite("suite", test.names...)
				s.Part = true
				_, err := b.client().Up(t.Context(), UpInput{Suite: s, Manifests: test.manifests, DryRun: dry})
				says(t, err, test.says...)
				if strings.Count(err.Error(), "does not exist") > 1 {
					t.Errorf("it is said twice: %v", err)
				}
				if len(b.cluster.Tags()) != calls || len(b.writes()) != writes {
					t.Errorf("it wrote %v, and nodes have %v", b.writes(), b.cluster.Tags())
				}
			})
		}
	}
}

func TestUpAsksForTheNamespaceOnlyWhereNothingIsRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	run := &upRun{client: b.client(), in: UpInput{Suite: suite("suite", "datastorage")}}
	if err := run.check(t.Context()); err != nil {
		t.Errorf("with a record: %v", err)
	}
	run.in.Suite.Namespace = "other"
	if err := run.check(t.Context()); !apierrors.IsNotFound(err) {
		t.Errorf("without: %v", err)
	}
	run.in.CreateNamespace = true
	if err := run.check(t.Context()); err != nil {
		t.Errorf("where it will be made: %v", err)
	}
}

func TestManifestsMayHaveWhatElseIsRecorded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	recorded := b.tagged("suite")
	both := append(pod("e2eimage://datastorage"), pod("localhost/gateway:any")...)
	run := &upRun{client: b.client(), in: UpInput{Suite: suite("suite", "gateway"), Manifests: both}}
	run.in.Suite.Part = true
	if err := run.check(t.Context()); err != nil {
		t.Error(err)
	}
	run.in.Suite, run.in.Manifests = suite("suite", "datastorage"), pod(recorded)
	run.in.Suite.Part = true
	if err := run.check(t.Context()); err != nil {
		t.Errorf("what was rendered before: %v", err)
	}
}

func TestASourceThatAnotherNameHasIsSaidBeforeItIsRecorded(t *testing.T) {
	t.Parallel()
	const question = "storage: datastorage has this source already; did you mean that one?"
	for dry, want := range map[bool]string{
		false: question + "\nstorage is recorded all the same; to take it away: kubectl e2eimage clean storage -n tests --consumer suite",
		true:  question,
	} {
		b := newBench(t)
		b.tagged("suite")
		twice := suite("suite", "storage")
		twice.Images[0].Source = source
		client, said := b.client(), &warned{}
		client.report = said
		b.cluster.Before = func(call, _ string) error {
			if call == adds && !slices.Contains(said.said, want) {
				t.Errorf("it tags before it has said so: %q", said.said)
			}
			return nil
		}
		if _, err := client.Tag(t.Context(), TagInput{Suite: twice, DryRun: dry}); err != nil {
			t.Fatal(err)
		}
		got := slices.DeleteFunc(said.said, func(text string) bool { return !strings.Contains(text, "has this source") })
		if !slices.Equal(got, []string{want}) {
			t.Errorf("dry run %v: said is %q, want %q", dry, got, want)
		}
	}
}

func TestUpDoesNotWaitForAnAPIServerThatDoesNotAnswer(t *testing.T) {
	t.Parallel()
	hanging := httptest.NewServer(http.HandlerFunc(func(_ http.ResponseWriter, request *http.Request) {
		<-request.Context().Done()
	}))
	defer hanging.Close()
	b := newBench(t)
	b.kube = clientcmdapi.Cluster{Server: hanging.URL}
	client, said := b.client(), &warned{}
	client.report, client.connect = said, kube.NewAPI
	run := &upRun{client: client, in: UpInput{Suite: suite("suite", "datastorage")}}
	records, err := run.recordsBefore(t.Context(), 50*time.Millisecond)
	want := "the API server " + hanging.URL + " was asked for the records in namespace tests, and did not answer within 50ms; " +
		"namespace and manifests are checked once the images are built"
	if records != nil || err != nil || !slices.Equal(said.said, []string{want}) {
		t.Errorf("%v, %v, said is %q", records, err, said.said)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := run.recordsBefore(ctx, time.Minute); err != nil || len(said.said) > 1 {
		t.Errorf("of an interruption it says %q, %v", said.said, err)
	}
}

func TestADryRunOfUpSaysTheTagOfTheRealRun(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change func(*config.Suite)
		want   string
	}{
		"one that is drawn": {func(*config.Suite) {}, "localhost/gateway:suite-<random>"},
		"an exact one": {func(s *config.Suite) {
			s.Images[1].Repository, s.Images[1].Tag = "localhost/x", "v1"
		}, "localhost/x:v1"},
		"that of its group": {func(s *config.Suite) { s.TagGroup = "chart" }, "localhost/gateway:GROUP"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			_, tag, _ := strings.Cut(strings.TrimPrefix(b.tagged("suite"), "localhost/"), ":")
			both := suite("suite", "datastorage", "gateway")
			test.change(&both)
			client := b.client()
			target, err := client.openTarget(t.Context(), both)
			if err != nil {
				t.Fatal(err)
			}
			defer target.place.Close()
			got, err := (&upRun{client: client, in: UpInput{Suite: both}}).drawn(t.Context(), target, both.Images[1])
			if want := strings.Replace(test.want, "GROUP", tag, 1); err != nil || got != want {
				t.Errorf("%q, want %q, %v", got, want, err)
			}
		})
	}
}

func TestUpDoesNotMissANamespaceThatItNeedNotHave(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*UpInput){
		"the kube context is of another cluster":    func(in *UpInput) { in.Suite.KindCluster = "not-yet" },
		"images of others need no record":           func(in *UpInput) { in.Suite.Images[0].External = "docker.io/library/postgres:16" },
		"the namespace is made where it is missing": func(in *UpInput) { in.CreateNamespace = true },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			in := UpInput{Suite: suite("suite", "datastorage"), SkipBuild: true, DryRun: true}
			change(&in)
			_, err := b.client().Up(t.Context(), in)
			if err != nil && strings.Contains(err.Error(), "create it with: kubectl create namespace") {
				t.Errorf("error %v", err)
			}
		})
	}
}
