package apply

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

var deployments = schema.GroupResource{Group: "apps", Resource: "deployments"}

func options() Options { return Options{Namespace: "e2e", Consumer: "suite"} }

func marked(consumer string) func(*appsv1.Deployment) {
	return func(d *appsv1.Deployment) { d.Annotations = map[string]string{kube.ConsumerAnnotation: consumer} }
}

func TestOneGetAndOnePatchPutTwoImagesIntoOneWorkload(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage, func(d *appsv1.Deployment) {
		d.Spec.Template.Spec.Containers = append(d.Spec.Template.Spec.Containers,
			kubetest.Container("notifier", "localhost/notification:1"), kubetest.Container("proxy", "localhost/proxy:1"))
	}))
	notification := kube.Image{Name: "notification", Image: "localhost/notification:wf-new", ImageID: "sha256:22", Workloads: []string{"e2e/deploy/datastorage"}}
	plan, err := Prepare(t.Context(), api, options(), []kube.Image{kubetest.Datastorage(), notification})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := plan.Apply(t.Context(), progress.Discard{})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"get deployments", "patch deployments"}, kubetest.Sent(api)); diff != "" {
		t.Error(diff)
	}
	want := []Change{{
		Name: "deployment.apps/datastorage", Namespace: "e2e", Action: ImageUpdated, Generation: 1,
	}}
	if diff := cmp.Diff(want, changes); diff != "" {
		t.Error(diff)
	}
	d, err := api.AppsV1().Deployments("e2e").Get(t.Context(), "datastorage", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	images := map[string]string{"server": kubetest.NewImage, "notifier": "localhost/notification:wf-new", "proxy": "localhost/proxy:1"}
	if diff := cmp.Diff(images, kube.ImagesOf(&d.Spec.Template.Spec)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(map[string]string{kube.ImageIDPrefix + "datastorage": kubetest.NewID, kube.ImageIDPrefix + "notification": "sha256:22"}, d.Spec.Template.Annotations); diff != "" {
		t.Error(diff)
	}
	if d.Annotations[kube.ConsumerAnnotation] != "suite" {
		t.Errorf("annotations are %v", d.Annotations)
	}
}

func TestNothingIsSentWhenAllIsRight(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(kubetest.Deployment(kubetest.NewImage))
	plan, err := Prepare(t.Context(), api, options(), []kube.Image{kubetest.Datastorage()})
	if err != nil {
		t.Fatal(err)
	}
	changes, err := plan.Apply(t.Context(), progress.Discard{})
	if err != nil || len(changes) != 1 || changes[0].Action != Unchanged {
		t.Errorf("changes are %+v, error is %v", changes, err)
	}
	if diff := cmp.Diff([]string{"get deployments"}, kubetest.Sent(api)); diff != "" {
		t.Error(diff)
	}
}

func TestADryRun(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		dry  DryRun
		want []string
	}{
		{DryRunClient, []string{"get deployments"}},
		{DryRunServer, []string{"get deployments", "patch deployments"}},
	} {
		t.Run(string(test.dry), func(t *testing.T) {
			t.Parallel()
			api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage))
			o := options()
			o.DryRun = test.dry
			plan, err := Prepare(t.Context(), api, o, []kube.Image{kubetest.Datastorage()})
			if err != nil {
				t.Fatal(err)
			}
			changes, err := plan.Apply(t.Context(), progress.Discard{})
			if err != nil || len(changes) != 1 || changes[0].Action != ImageUpdated {
				t.Errorf("changes are %+v, error is %v", changes, err)
			}
			if targets := plan.Targets(); len(targets) > 0 {
				t.Errorf("there is nothing to wait for, but %v", targets)
			}
			if diff := cmp.Diff(test.want, kubetest.Sent(api)); diff != "" {
				t.Error(diff)
			}
			for _, action := range api.Actions() {
				patch, ok := action.(clienttesting.PatchActionImpl)
				if ok && (!cmp.Equal(patch.PatchOptions.DryRun, []string{metav1.DryRunAll}) || patch.PatchOptions.FieldManager != "kubectl-e2eimage") {
					t.Errorf("patched with %+v", patch.PatchOptions)
				}
			}
		})
	}
}

func TestTheMarkOfAnotherConsumer(t *testing.T) {
	t.Parallel()
	alive := func(answer bool) func(context.Context, string, string) (bool, error) {
		return func(_ context.Context, namespace, consumer string) (bool, error) {
			if namespace != "e2e" || consumer != "other" {
				return false, errors.New("asked for " + namespace + "/" + consumer)
			}
			return answer, nil
		}
	}
	for _, test := range []struct {
		name    string
		options Options
		refused bool
	}{
		{"stops when that consumer lives", Options{Alive: alive(true)}, true},
		{"stops when nobody can tell whether it lives", Options{}, true},
		{"binds nobody when that consumer has no records left", Options{Alive: alive(false)}, false},
		{"is taken over when asked", Options{TakeOver: true, Alive: alive(true)}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			api := fake.NewClientset(kubetest.Deployment(kubetest.NewImage, marked("other")))
			test.options.Namespace, test.options.Consumer = "e2e", "suite"
			plan, err := Prepare(t.Context(), api, test.options, []kube.Image{kubetest.Datastorage()})
			var claimed *ClaimedError
			if errors.As(err, &claimed) != test.refused {
				t.Fatalf("error is %v", err)
			}
			if test.refused {
				return
			}
			if _, err := plan.Apply(t.Context(), progress.Discard{}); err != nil {
				t.Fatal(err)
			}
			d, err := api.AppsV1().Deployments("e2e").Get(t.Context(), "datastorage", metav1.GetOptions{})
			if err != nil || d.Annotations[kube.ConsumerAnnotation] != "suite" || d.Spec.Template.Annotations != nil {
				t.Errorf("it has %v and %v, error is %v", d.Annotations, d.Spec.Template.Annotations, err)
			}
		})
	}
}

func TestAConflictingChangeIsKept(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage))
	conflicts := 0
	api.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		if conflicts++; conflicts > 1 {
			return false, nil, nil
		}
		kubetest.Put(t, api, kubetest.Deployment(kubetest.OldImage, func(d *appsv1.Deployment) {
			d.ResourceVersion = "8"
			d.Spec.Template.Spec.Containers[0].Args = []string{"--verbose"}
		}))
		return true, nil, apierrors.NewConflict(deployments, "datastorage", errors.New("it was changed"))
	})
	plan, err := Prepare(t.Context(), api, options(), []kube.Image{kubetest.Datastorage()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), progress.Discard{}); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"get deployments", "patch deployments", "get deployments", "patch deployments"}, kubetest.Sent(api)); diff != "" {
		t.Error(diff)
	}
	d, err := api.AppsV1().Deployments("e2e").Get(t.Context(), "datastorage", metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	server := d.Spec.Template.Spec.Containers[0]
	if server.Image != kubetest.NewImage || len(server.Args) != 1 {
		t.Errorf("it has image %s and arguments %v", server.Image, server.Args)
	}
}

func TestSomebodyWhoMarksItFirstWins(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage))
	api.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		kubetest.Put(t, api, kubetest.Deployment(kubetest.OldImage, marked("other")))
		return true, nil, apierrors.NewConflict(deployments, "datastorage", errors.New("it was changed"))
	})
	plan, err := Prepare(t.Context(), api, options(), []kube.Image{kubetest.Datastorage()})
	if err != nil {
		t.Fatal(err)
	}
	var claimed *ClaimedError
	if _, err := plan.Apply(t.Context(), progress.Discard{}); !errors.As(err, &claimed) {
		t.Errorf("error is %v", err)
	}
}

func TestConflictsAreNotRetriedForEver(t *testing.T) {
	t.Parallel()
	api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage))
	api.PrependReactor("patch", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
		return true, nil, apierrors.NewConflict(deployments, "datastorage", errors.New("it was changed"))
	})
	plan, err := Prepare(t.Context(), api, options(), []kube.Image{kubetest.Datastorage()})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := plan.Apply(t.Context(), progress.Discard{}); err == nil || !strings.Contains(err.Error(), "somebody else keeps changing it") {
		t.Errorf("error is %v", err)
	}
}

func TestAllMistakesAreReportedAtOnce(t *testing.T) {
	t.Parallel()
	paused := kubetest.Deployment(kubetest.OldImage, func(d *appsv1.Deployment) {
		d.Name, d.Spec.Paused = "paused", true
	})
	api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage), paused, kubetest.StatefulSet(kubetest.OldImage, 1))
	image := kubetest.Datastorage()
	image.PullPolicy = "Always"
	image.Workloads = []string{"gizmo/x", "datastorage", "deployment/datastorag", "deployment/store", "deployment/paused"}
	_, err := Prepare(t.Context(), api, options(), []kube.Image{image})
	if err == nil {
		t.Fatal("nothing is wrong?")
	}
	for _, words := range []string{
		`pull policy "Always"`, `the kind "gizmo" cannot be deployed to`, `"datastorage" is not KIND/NAME`,
		"there is no deployment.apps/datastorag in namespace e2e; there is deployment/datastorage\nsay which with --workload",
		"there is no deployment.apps/store in namespace e2e; there is statefulset/store\n",
		"kubectl rollout resume deployment/paused -n e2e",
	} {
		if !strings.Contains(err.Error(), words) {
			t.Errorf("the error does not say %q:\n%v", words, err)
		}
	}
	for _, action := range kubetest.Sent(api) {
		if strings.HasPrefix(action, "patch") {
			t.Errorf("%s was sent", action)
		}
	}
}

func TestWhatIsForbiddenIsNamed(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"get", "patch"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			api := fake.NewClientset(kubetest.Deployment(kubetest.OldImage))
			api.PrependReactor(verb, "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, apierrors.NewForbidden(deployments, "datastorage", errors.New(`User "ci" cannot `+verb+` resource "deployments"`))
			})
			plan, err := Prepare(t.Context(), api, options(), []kube.Image{kubetest.Datastorage()})
			if err == nil {
				_, err = plan.Apply(t.Context(), progress.Discard{})
			}
			if err == nil || !strings.Contains(err.Error(), `cannot `+verb+` resource "deployments"`) || !strings.Contains(err.Error(), "docs/rbac.md") {
				t.Errorf("error is %v", err)
			}
		})
	}
}
