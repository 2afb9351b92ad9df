package e2eimage

import (
	"errors"
	"slices"
	"strings"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// deployment runs an image in one pod.
func (b *bench) deployment(name, image string) {
	b.t.Helper()
	labels := map[string]string{"app": name}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name},
		Spec: appsv1.DeploymentSpec{
			Replicas: new(int32(1)), Selector: &metav1.LabelSelector{MatchLabels: labels},
			Template: corev1.PodTemplateSpec{
				ObjectMeta: metav1.ObjectMeta{Labels: labels},
				Spec:       corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: image, ImagePullPolicy: corev1.PullNever}}},
			},
		},
	}
	if _, err := b.api.AppsV1().Deployments(namespace).Create(b.t.Context(), d, metav1.CreateOptions{}); err != nil {
		b.t.Fatal(err)
	}
	if err := b.api.Settle(); err != nil {
		b.t.Fatal(err)
	}
}

// undeploy takes a Deployment away, and with it the pods, of which there are no others.
func (b *bench) undeploy(name string) {
	b.t.Helper()
	ctx, options := b.t.Context(), metav1.DeleteOptions{}
	failed := b.api.AppsV1().Deployments(namespace).Delete(ctx, name, options)
	pods, err := b.api.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{})
	failed = errors.Join(failed, err)
	for _, pod := range pods.Items {
		failed = errors.Join(failed, b.api.CoreV1().Pods(namespace).Delete(ctx, pod.Name, options))
	}
	if failed != nil {
		b.t.Fatal(failed)
	}
}

func TestVerifySaysWhatItProvedAndWhatNothingRuns(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	recorded := b.tagged("suite")
	verify := func(wait bool) (*StatusResult, error) {
		return b.client().Verify(t.Context(), VerifyInput{Suite: suite("suite", "datastorage"), Wait: wait})
	}
	for _, wait := range []bool{false, true} {
		result, err := verify(wait)
		is[*InconsistentError](t, err, "datastorage (suite): NotRunning: nothing runs the recorded image "+recorded+" of consumer suite", "kubectl e2eimage deploy datastorage", "-f FILE")
		if len(result.Mend) != 1 || result.Images[0].State != StateNotRunning {
			t.Errorf("%+v", result)
		}
	}
	if status := b.status(); status.State != StateConsistent {
		t.Errorf("before it is deployed, status has %+v", status)
	}

	b.deployment("datastorage", recorded)
	result, err := verify(true)
	if err != nil || len(result.Images) != 1 {
		t.Fatalf("%+v, %v", result, err)
	}
	proved := result.Images[0]
	if proved.Image != recorded || proved.ImageID != imageID || proved.State != StateConsistent || len(proved.Workloads) != 1 || len(proved.Workloads[0].Pods) != 1 {
		t.Errorf("proved is %+v", proved)
	}

	b.undeploy("datastorage")
	_, err = verify(false)
	is[*InconsistentError](t, err, "nothing runs the recorded image "+recorded+" of consumer suite")
	b.deployment("datastorage", "localhost/none:none")
	result, err = verify(false)
	is[*InconsistentError](t, err, "nothing runs the recorded image "+recorded+" of consumer suite")
	if slices.ContainsFunc(result.Mend, func(command string) bool {
		return command != "kubectl e2eimage deploy datastorage -n tests --consumer suite"
	}) {
		t.Errorf("with a workload of its name it says %q", result.Mend)
	}
}

func TestAnImageThatIsDeployedToNothingNeedsNoWorkload(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	s := suite("suite", "datastorage")
	s.File = "e2eimage.yaml"
	if _, err := b.client().Verify(t.Context(), VerifyInput{Suite: s}); err != nil {
		t.Error(err)
	}
	s.Images[0].Deploy = config.Deploy{Workloads: []string{"deployment/datastorage"}}
	_, err := b.client().Verify(t.Context(), VerifyInput{Suite: s})
	is[*InconsistentError](t, err, "nothing runs")
}

func TestWhatAFileDeploysToNothingIsThatOfItsOwnRecord(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		hints config.Hints
		fails bool
	}{
		"in all namespaces, too":   {config.Hints{Consumer: "suite", Namespace: namespace}, false},
		"not of another consumer":  {config.Hints{Consumer: "other", Namespace: namespace}, true},
		"not of another namespace": {config.Hints{Consumer: "suite", Namespace: "other"}, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			s := suite("suite", "datastorage")
			s.File, s.Hints, s.Freshness = "e2eimage.yaml", test.hints, config.FreshnessOff
			s.Images, s.Others = nil, s.Images
			_, err := b.client().Verify(t.Context(), VerifyInput{Suite: s, AllNamespaces: true})
			if as[*InconsistentError](err) != test.fails || !test.fails && err != nil {
				t.Errorf("error %v", err)
			}
		})
	}
}

func TestNothingIsSuggestedThatTakesAnothersWorkload(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	first := b.tagged("suite")
	b.tagged("second")
	b.deployment("datastorage", first)
	s := suite("second", "datastorage")
	s.Images[0].Deploy.Workloads = []string{"deployment/datastorage"}
	result, err := b.client().Verify(t.Context(), VerifyInput{Suite: s})
	is[*InconsistentError](t, err, "of consumer second; deployment.apps/datastorage runs that of consumer suite")
	if result != nil && len(result.Mend) > 0 {
		t.Errorf("it suggests %q", result.Mend)
	}
}

func TestVerifyDoesNotMissWhatItMayNotSee(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		workloads []string
		forbidden string
		fails     bool
	}{
		"a kind that may not be listed":          {nil, "pods", false},
		"a workload in another namespace":        {[]string{"other/deployment/datastorage"}, "", false},
		"all that it should have, and it is not": {[]string{"deployment/datastorage"}, "", true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			b.api.PrependReactor("list", "*", func(action clienttesting.Action) (bool, runtime.Object, error) {
				resource := action.GetResource().Resource
				denied := action.GetNamespace() == "" || resource == test.forbidden
				return denied, nil, apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", nil)
			})
			in := VerifyInput{Suite: suite("suite", "datastorage")}
			in.Suite.Images[0].Deploy.Workloads, in.Suite.Freshness = test.workloads, config.FreshnessOff
			told, client := &warned{}, b.client()
			client.report = told
			_, err := client.Verify(t.Context(), in)
			if as[*InconsistentError](err) != test.fails || !test.fails && err != nil {
				t.Errorf("error %v", err)
			}
			if said := strings.Join(told.said, "\n"); strings.Contains(said, "cannot tell whether anything runs") == test.fails {
				t.Errorf("it warned of %q", said)
			}
		})
	}
}
