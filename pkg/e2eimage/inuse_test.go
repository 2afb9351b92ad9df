package e2eimage

import (
	"errors"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

func podOf(image string) corev1.PodSpec {
	return corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: image}}}
}

func called(name string) metav1.ObjectMeta {
	return metav1.ObjectMeta{Namespace: namespace, Name: name}
}

// use lets something use a tag, and says what is left because of it.
type use struct {
	object func(image string) runtime.Object
	want   TagInUse
}

func uses() map[string]use {
	return map[string]use{
		"a Deployment without replicas": {
			func(image string) runtime.Object {
				return &appsv1.Deployment{ObjectMeta: called("store"), Spec: appsv1.DeploymentSpec{Replicas: new(int32(0)), Template: corev1.PodTemplateSpec{Spec: podOf(image)}}}
			},
			TagInUse{Workload: "deployment.apps/store", Namespace: namespace, Note: "0 replicas"},
		},
		"a CronJob": {
			func(image string) runtime.Object {
				return &batchv1.CronJob{ObjectMeta: called("sweep"), Spec: batchv1.CronJobSpec{JobTemplate: batchv1.JobTemplateSpec{Spec: batchv1.JobSpec{Template: corev1.PodTemplateSpec{Spec: podOf(image)}}}}}
			},
			TagInUse{Workload: "cronjob.batch/sweep", Namespace: namespace, Note: "scheduled"},
		},
		"a pod that has not started": {
			func(image string) runtime.Object {
				pod := &corev1.Pod{ObjectMeta: called("storage-0"), Spec: podOf(image)}
				pod.Namespace, pod.Spec.NodeName = "elsewhere", "dev-worker"
				return pod
			},
			TagInUse{Workload: "pod/storage-0", Namespace: "elsewhere"},
		},
	}
}

// wantLeft wants a tag with its record where they were.
func (b *bench) wantLeft(image string, tags int) {
	b.t.Helper()
	if got := len(b.cluster.Tags()); got != tags || b.records("suite")["datastorage"] != image {
		b.t.Errorf("records %v, nodes %v", b.records("suite"), b.cluster.Tags())
	}
}

func TestCleanLeavesWhatIsInUse(t *testing.T) {
	t.Parallel()
	for name, use := range uses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			image := b.tagged("suite")
			if err := b.api.Tracker().Add(use.object(image)); err != nil {
				t.Fatal(err)
			}
			use.want.Image = image
			for _, dry := range []bool{true, false} {
				result, err := b.clean(func(in *CleanInput) { in.DryRun = dry })
				if diff := cmp.Diff([]TagInUse{use.want}, result.Images[0].Left); diff != "" || len(result.Images[0].Removed) > 0 {
					t.Errorf("removed %v, left (-want +got):\n%s", result.Images[0].Removed, diff)
				}
				verb := " is left: "
				if dry {
					verb = " would be left: "
				}
				is[*InconsistentError](t, err, image+verb+use.want.String(), "then: kubectl e2eimage clean datastorage -n tests --consumer suite", "--force")
				var inUse *InUseError
				if !errors.As(err, &inUse) || len(inUse.Left) != 1 {
					t.Errorf("%v", err)
				}
			}
			b.wantLeft(image, 3)
			if _, err := b.clean(func(in *CleanInput) { in.Force = true }); err != nil || len(b.cluster.Tags()) > 0 {
				t.Errorf("forced: left %v, %v", b.cluster.Tags(), err)
			}
		})
	}
}

func TestCleanLeavesTagsThatContainersRun(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Containers = []kindnode.Container{container(image, imageID, false)} }, "dev-worker")
	result, err := b.clean(unchanged)
	is[*InconsistentError](t, err, "in use by pod tests/storage-0 on dev-worker")
	if diff := cmp.Diff([]TagInUse{{Image: image, Node: "dev-worker", Pod: "tests/storage-0"}}, result.Images[0].Left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.wantLeft(image, 3)
}

func TestWhatIsOldOrLeftOverIsInUse(t *testing.T) {
	t.Parallel()
	for name, use := range uses() {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			first := b.tagged("suite")
			b.cluster.Load(source, otherID)
			second := b.tagged("suite")
			if err := b.api.Tracker().Add(use.object(first)); err != nil {
				t.Fatal(err)
			}
			use.want.Image = first
			result, err := b.clean(func(in *CleanInput) { in.Keep = new(0) })
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]TagInUse{use.want}, result.Images[0].Left); diff != "" {
				t.Errorf("--keep: (-want +got):\n%s", diff)
			}
			b.wantLeft(second, 6)
			// What keepPrevious lets go of when something is tagged.
			b.cluster.Load(source, thirdID)
			in := TagInput{Suite: suite("suite", "datastorage")}
			in.Suite.KeepPrevious = 0
			third, err := b.client().Tag(t.Context(), in)
			if err != nil {
				t.Fatal(err)
			}
			b.wantLeft(third.Images[0].Image, 6)
			// The record is gone, with its namespace perhaps.
			if err := b.api.CoreV1().ConfigMaps(namespace).Delete(t.Context(), "e2eimage-suite", metav1.DeleteOptions{Preconditions: &metav1.Preconditions{ResourceVersion: new(b.configMap("suite").ResourceVersion)}}); err != nil {
				t.Fatal(err)
			}
			result, err = b.client().Clean(t.Context(), CleanInput{Suite: suite("suite"), Orphans: true, OlderThan: 1})
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff([]TagInUse{use.want}, result.Left); diff != "" || len(result.Orphans) != 1 || len(b.cluster.Tags()) != 3 {
				t.Errorf("--orphans: nodes %v, %v, left (-want +got):\n%s", b.cluster.Tags(), result.Orphans, diff)
			}
		})
	}
}

func TestWhatMayNotBeListedIsPerhapsInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	forbidden := map[string]bool{"cronjobs": true}
	b.api.PrependReactor("list", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
		resource := action.GetResource().Resource
		denied := action.GetNamespace() == "" || forbidden[resource]
		return denied, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", nil)
	})
	result, err := b.clean(unchanged)
	is[*InconsistentError](t, err, "perhaps in use: cronjobs may not be listed in namespace tests (docs/rbac.md)", "--force")
	if diff := cmp.Diff([]TagInUse{{Image: image, Namespace: namespace, Unseen: []string{"cronjobs"}}}, result.Images[0].Left); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.wantLeft(image, 3)
	// Leave for the one namespace is enough.
	clear(forbidden)
	if _, err := b.clean(unchanged); err != nil || len(b.cluster.Tags()) > 0 {
		t.Errorf("left %v, %v", b.cluster.Tags(), err)
	}
}

func TestWhatARecordThatWentWithItsNamespaceHadIsCleanedAtOnce(t *testing.T) {
	t.Parallel()
	for _, consumer := range []string{"suite", ""} {
		b := newBench(t)
		b.tagged("suite")
		if err := b.api.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("configmaps"), namespace, "e2eimage-suite"); err != nil {
			t.Fatal(err)
		}
		result, err := b.clean(func(in *CleanInput) { in.Suite.Consumer = consumer })
		if err != nil || len(b.cluster.Tags()) > 0 || len(result.Images[0].Removed) != 1 || result.Images[0].RecordRemoved {
			t.Errorf("consumer %q: %+v, left %v, %v", consumer, result, b.cluster.Tags(), err)
		}
	}
}

func TestARecordThatGoesWithItsNamespaceMeanwhileIsNoFault(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	b.cluster.After = func(call, node string) {
		if call == removes && node == "dev-worker" {
			// The other nodes may be at it, too.
			_ = b.api.Tracker().Delete(corev1.SchemeGroupVersion.WithResource("configmaps"), namespace, "e2eimage-suite")
		}
	}
	if _, err := b.clean(unchanged); err != nil || len(b.cluster.Tags()) > 0 || b.configMap("suite") != nil {
		t.Errorf("left %v, %v", b.cluster.Tags(), err)
	}
}

func TestARecordThatWasChangedByHandIsMendedWhileItsTagIsInUse(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	image := b.tagged("suite")
	b.cluster.Change(func(n *kindnodetest.Node) { n.Containers = []kindnode.Container{container(image, imageID, false)} }, "dev-worker")
	b.tamper("suite")
	_, err := b.client().Ref(t.Context(), RefInput{Suite: suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "kubectl e2eimage clean datastorage -n tests --consumer suite --scope=cluster\n", "kubectl e2eimage tag datastorage -n tests --consumer suite")
	result, err := b.clean(func(in *CleanInput) { in.Scope = ScopeCluster })
	if err != nil || !result.Images[0].RecordRemoved || len(result.Images[0].Left) != 1 || len(b.cluster.Tags()) != 3 {
		t.Errorf("%+v, %v, nodes %v", result.Images, err, b.cluster.Tags())
	}
	if again := b.tagged("suite"); b.records("suite")["datastorage"] != again || b.imagesOn("dev-worker")[image] != imageID {
		t.Errorf("records %v, nodes %v", b.records("suite"), b.cluster.Tags())
	}
}
