package workload

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

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func TestAReplacementThatIsRefusedBringsBackWhatWas(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(aBarePod(newImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }))
	first := true
	api.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		create, ok := action.(clienttesting.CreateActionImpl)
		if !ok || len(create.GetCreateOptions().DryRun) > 0 {
			return ok, nil, nil
		}
		refuse := first
		first = false
		return refuse, nil, apierrors.NewForbidden(corev1.Resource("pods"), "single", nil)
	})
	o := options()
	o.Replace = true
	plan, err := Prepare(t.Context(), api, o, []Image{on("pod/single")})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), progress.Discard{}); err == nil || !strings.Contains(err.Error(), "it was made again as it was") {
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
			api := fake.NewClientset(aBarePod(newImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }))
			var kept []byte
			api.PrependReactor("create", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				create, ok := action.(clienttesting.CreateActionImpl)
				if !ok || len(create.GetCreateOptions().DryRun) > 0 {
					return ok, nil, nil
				}
				files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
				if err != nil || len(files) != 1 {
					t.Fatalf("%v, %v", files, err)
				}
				kept, err = os.ReadFile(files[0])
				if err != nil {
					t.Fatal(err)
				}
				return fails, nil, apierrors.NewForbidden(corev1.Resource("pods"), "single", nil)
			})
			o := options()
			o.Replace = true
			plan, err := Prepare(t.Context(), api, o, []Image{on("pod/single")})
			if err != nil {
				t.Fatal(err)
			}
			report := &reported{}
			_, err = plan.Apply(t.Context(), report)
			var pod corev1.Pod
			if yaml.Unmarshal(kept, &pod) != nil || pod.Kind != "Pod" || pod.Name != "single" || pod.Spec.Containers[0].Image != newImage {
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
			if said := strings.Join(report.infos, "\n"); !strings.Contains(said, "delete pod/single, up to 1m30s, and make it anew; if this is killed: kubectl create -f "+folder) {
				t.Errorf("it says %q", said)
			}
		})
	}
}

func TestAnAnswerThatIsLostIsNotTakenForARefusal(t *testing.T) {
	t.Parallel()
	lost := errors.New("unexpected EOF")
	for name, test := range map[string]struct {
		verb string
		want string
	}{
		"to the deletion": {"delete", ""},
		"to the creation": {"create", "it was made meanwhile; deploy again: unexpected EOF"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			api := fake.NewClientset(aBarePod(newImage, func(p *corev1.Pod) { p.Status.Phase = corev1.PodFailed }))
			did := false
			api.PrependReactor(test.verb, "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
				create, creates := action.(clienttesting.CreateActionImpl)
				if did || creates && len(create.GetCreateOptions().DryRun) > 0 {
					return false, nil, nil
				}
				did = true
				if !creates {
					return true, nil, errors.Join(lost, api.Tracker().Delete(action.GetResource(), "e2e", "single"))
				}
				made := create.GetObject().DeepCopyObject().(*corev1.Pod)
				made.UID = "made"
				return true, nil, errors.Join(lost, api.Tracker().Create(action.GetResource(), made, "e2e"))
			})
			o := options()
			o.Replace = true
			plan, err := Prepare(t.Context(), api, o, []Image{on("pod/single")})
			if err != nil {
				t.Fatal(err)
			}
			changes, err := plan.Apply(t.Context(), progress.Discard{})
			if test.want == "" && (err != nil || len(changes) != 1) || test.want != "" && (err == nil || !strings.HasSuffix(err.Error(), test.want)) {
				t.Errorf("%v, %v", changes, err)
			}
		})
	}
}
