package apply

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
	"sigs.k8s.io/yaml"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// replacingFailed plans to replace a Pod that has failed. made is asked at each creation
// but the trial, and tells whether it has answered it with the error.
func replacingFailed(t *testing.T, made func(api *fake.Clientset, pod *corev1.Pod) (bool, error)) (*fake.Clientset, *Plan) {
	t.Helper()
	api := fake.NewClientset(kubetest.BarePod(kubetest.NewImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }))
	api.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create, ok := action.(clienttesting.CreateActionImpl)
		if !ok || len(create.GetCreateOptions().DryRun) > 0 {
			return ok, nil, nil
		}
		pod, ok := create.GetObject().(*corev1.Pod)
		if !ok {
			t.Errorf("created is %T", create.GetObject())
			return false, nil, nil
		}
		answered, err := made(api, pod)
		return answered, nil, err
	})
	o := options()
	o.Replace = true
	plan, err := Prepare(t.Context(), api, o, []kube.Image{kubetest.DatastorageOf("pod/single")})
	if err != nil {
		t.Fatal(err)
	}
	return api, plan
}

var errDenied = apierrors.NewForbidden(corev1.Resource("pods"), "single", nil)

func TestAReplacementThatIsRefusedBringsBackWhatWas(t *testing.T) {
	t.Parallel()
	first := true
	api, plan := replacingFailed(t, func(*fake.Clientset, *corev1.Pod) (bool, error) {
		refuse := first
		first = false
		return refuse, errDenied
	})
	if _, err := plan.Apply(t.Context(), progress.Discard{}); err == nil || !strings.Contains(err.Error(), "it was restored as it was") {
		t.Errorf("error %v", err)
	}
	if _, err := api.CoreV1().Pods("e2e").Get(t.Context(), "single", metav1.GetOptions{}); err != nil {
		t.Error(err)
	}
}

func TestTheManifestOfWhatIsReplacedIsKeptWhileItIsGone(t *testing.T) {
	for name, fails := range map[string]bool{"made anew": false, "neither made anew nor as it was": true} {
		t.Run(name, func(t *testing.T) {
			folder := t.TempDir()
			t.Setenv("TMPDIR", folder)
			var kept []byte
			_, plan := replacingFailed(t, func(*fake.Clientset, *corev1.Pod) (bool, error) {
				files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
				if err != nil || len(files) != 1 {
					t.Fatalf("%v, %v", files, err)
				}
				kept, err = os.ReadFile(files[0])
				if err != nil {
					t.Fatal(err)
				}
				return fails, errDenied
			})
			report := &kubetest.Reporter{}
			_, err := plan.Apply(t.Context(), report)
			var pod corev1.Pod
			if yaml.Unmarshal(kept, &pod) != nil || pod.Kind != "Pod" || pod.Name != "single" || pod.Spec.Containers[0].Image != kubetest.NewImage {
				t.Errorf("kept is\n%s", kept)
			}
			left, _ := filepath.Glob(filepath.Join(folder, "*"))
			if fails {
				if err == nil || len(left) != 1 || !strings.Contains(err.Error(), "kubectl create -f "+left[0]) {
					t.Errorf("left is %v, error %v", left, err)
				}
			} else if err != nil || len(left) != 0 {
				t.Errorf("left is %v, error %v", left, err)
			}
			if said := strings.Join(report.Infos, "\n"); !strings.Contains(said, "deleting and recreating pod/single, within 1m30s; if this run is killed, restore it: kubectl create -f "+folder) {
				t.Errorf("it says %q", said)
			}
		})
	}
}

func TestAnAnswerThatIsLostIsNotTakenForARefusal(t *testing.T) {
	t.Parallel()
	lost, pods := errors.New("unexpected EOF"), corev1.SchemeGroupVersion.WithResource("pods")
	t.Run("to the deletion", func(t *testing.T) {
		t.Parallel()
		api, plan := replacingFailed(t, func(*fake.Clientset, *corev1.Pod) (bool, error) { return false, nil })
		did := false
		api.PrependReactor("delete", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			if did {
				return false, nil, nil
			}
			did = true
			return true, nil, errors.Join(lost, api.Tracker().Delete(pods, "e2e", "single"))
		})
		if changes, err := plan.Apply(t.Context(), progress.Discard{}); err != nil || len(changes) != 1 {
			t.Errorf("%v, %v", changes, err)
		}
	})
	t.Run("to the creation", func(t *testing.T) {
		t.Parallel()
		_, plan := replacingFailed(t, func(api *fake.Clientset, pod *corev1.Pod) (bool, error) {
			made := pod.DeepCopy()
			made.UID = "made"
			return true, errors.Join(lost, api.Tracker().Create(pods, made, "e2e"))
		})
		if _, err := plan.Apply(t.Context(), progress.Discard{}); err == nil || !strings.HasSuffix(err.Error(), "somebody created it meanwhile; deploy again: unexpected EOF") {
			t.Errorf("error %v", err)
		}
	})
}
