package rollout

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

// waiting is a Wait under way, in a bubble where time passes by itself.
type waiting struct {
	api      *fake.Clientset
	rollouts *Rollouts
	report   *kubetest.Reporter
	begun    time.Time
	err      chan error
	cancel   context.CancelCauseFunc
}

// startWait deploys the images and begins to wait.
func startWait(t *testing.T, images []kube.Image, objects ...runtime.Object) *waiting {
	t.Helper()
	w := &waiting{api: fake.NewClientset(objects...), report: &kubetest.Reporter{}, begun: time.Now(), err: make(chan error, 1)}
	w.start(t, images)
	return w
}

func (w *waiting) start(t *testing.T, images []kube.Image) {
	t.Helper()
	ctx, cancel := context.WithCancelCause(t.Context())
	w.cancel = cancel
	var targets []kube.Target
	for _, image := range images {
		for _, of := range image.Workloads {
			targets = append(targets, deployTo(t, w.api, of, image))
		}
	}
	w.rollouts = New(w.api, targets)
	go func() { w.err <- w.rollouts.Wait(ctx, w.report) }()
	synctest.Wait()
}

// deployTo gives a workload its image, unless it has it.
func deployTo(t *testing.T, api *fake.Clientset, of string, image kube.Image) kube.Target {
	t.Helper()
	ref, err := kube.ParseReference(of, "e2e")
	if err != nil {
		t.Fatal(err)
	}
	target := kube.Target{Ref: ref, Images: []kube.Image{image}}
	raw, err := ref.Client(api).Get(t.Context(), ref.Name, metav1.GetOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if target.Object, err = kube.AsObject(raw); err != nil {
		t.Fatal(err)
	}
	if target.Assigned, err = kube.Assign(target.Images, &target.Object.Template.Spec); err != nil {
		t.Fatal(err)
	}
	patch := kube.NewPatch(target.Object, target.Assigned, "suite", false)
	if patch == nil {
		return target
	}
	body, err := patch.Marshal(ref.Kind)
	if err != nil {
		t.Fatal(err)
	}
	if raw, err = ref.Client(api).Patch(t.Context(), ref.Name, body, metav1.PatchOptions{}); err != nil {
		t.Fatal(err)
	}
	target.Patched = true
	if target.Object, err = kube.AsObject(raw); err != nil {
		t.Fatal(err)
	}
	return target
}

// end returns how long Wait took and its error.
func (w *waiting) end() (time.Duration, error) {
	err := <-w.err
	took := time.Since(w.begun)
	w.cancel(nil)
	return took, err
}

func rolloutError(t *testing.T, err error) *FailedError {
	t.Helper()
	var failed *FailedError
	if !errors.As(err, &failed) {
		t.Fatalf("error is %v", err)
	}
	return failed
}

func TestARolloutIsWaitedForByWatching(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		old := kubetest.Deployment(kubetest.OldImage, kubetest.RolledOut)
		w := startWait(t, []kube.Image{kubetest.Datastorage()}, old, kubetest.ReplicaSet(old, "old"))
		now, err := w.api.AppsV1().Deployments("e2e").Get(t.Context(), "datastorage", metav1.GetOptions{})
		if err != nil {
			t.Fatal(err)
		}
		asked := len(w.api.Actions())
		kubetest.Unavailable(now)
		set := kubetest.ReplicaSet(now, "new")
		kubetest.Put(t, w.api, set)
		kubetest.Put(t, w.api, now)
		kubetest.Put(t, w.api, kubetest.Pod(set, "datastorage-new-1", kubetest.NewImage, kubetest.NotReady))
		<-time.After(30 * time.Second)
		kubetest.Put(t, w.api, kubetest.Pod(set, "datastorage-new-1", kubetest.NewImage))
		kubetest.RolledOut(now)
		kubetest.Put(t, w.api, now)
		if took, err := w.end(); err != nil || took != 30*time.Second {
			t.Fatalf("after %s error %v", took, err)
		}
		want := []Running{{
			Namespace: "e2e", Pod: "datastorage-new-1", Container: "server", Node: "kind-worker",
			ContainerID: "datastorage-new-1-id", ImageName: "datastorage",
		}}
		if diff := cmp.Diff(want, w.rollouts.Running()); diff != "" {
			t.Error(diff)
		}
		if calls := w.api.Actions()[asked:]; len(calls) > 0 {
			t.Errorf("waiting asked for %v", calls)
		}
		// get, patch, the test's own get, and three lists with watches: with a
		// server that can stream lists, a list and its watch are one call.
		if len(w.api.Actions()) != 9 {
			t.Errorf("the API was asked for %v", kubetest.Sent(w.api))
		}
	})
}

func TestAFailureIsDiagnosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
		set := kubetest.ReplicaSet(d, "new")
		w := startWait(t, []kube.Image{kubetest.Datastorage()}, d, set)
		pod := kubetest.Pod(set, "new-1", kubetest.NewImage, kubetest.Crashes(4))
		kubetest.Put(t, w.api, kubetest.Event(pod, "Killing", "killed, token=hunter2", time.Now()))
		kubetest.Put(t, w.api, kubetest.Event(pod, "Failed", "of new-1_e2e(15f7be8c-5d34-4967-8b80-ce69853bd9c4)", time.Now().Add(time.Minute)))
		kubetest.Put(t, w.api, kubetest.Event(pod, "BackOff", "says again that it was restarted", time.Now()))
		kubetest.Put(t, w.api, kubetest.Event(set, "Other", "not about it", time.Now()))
		<-time.After(time.Second)
		kubetest.Put(t, w.api, pod)
		took, err := w.end()
		want := &FailedError{
			Workload: "deployment.apps/datastorage", Namespace: "e2e", Reason: "CrashLoopBackOff",
			Pod: "new-1", Container: "server", Node: "kind-worker", Image: kubetest.NewImage,
			Message: "restarted 4 times, last exit code 17", Restarts: 4,
			Logs: []string{"fake logs"}, Events: []string{"Killing: killed, token=***", "Failed: of new-1"}, crashed: true,
		}
		if diff := cmp.Diff(want, rolloutError(t, err), cmp.AllowUnexported(FailedError{})); diff != "" || took != time.Second {
			t.Errorf("after %s %s", took, diff)
		}
		for _, action := range w.api.Actions() {
			if log, ok := action.(clienttesting.GenericActionImpl); ok && log.GetSubresource() == "log" {
				if options, ok := log.Value.(*corev1.PodLogOptions); !ok || !options.Previous {
					t.Errorf("the log of %+v was read", log.Value)
				}
			}
		}
		if len(w.report.Ended) != 1 || w.report.Ended[0] == nil {
			t.Errorf("the step ended with %v", w.report.Ended)
		}
	})
}

func TestAProblemThatLastsIsTimedWithoutAnyChange(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
		set := kubetest.ReplicaSet(d, "new")
		w := startWait(t, []kube.Image{kubetest.Datastorage()}, d, set, kubetest.Pod(set, "new-1", kubetest.NewImage, kubetest.Unscheduled))
		took, err := w.end()
		if failed := rolloutError(t, err); failed.Reason != "Unschedulable" || took != lastingAfter {
			t.Errorf("after %s %+v", took, failed)
		}
	})
}

func TestNeverReadyIsATimeoutThatSaysWhy(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
		set := kubetest.ReplicaSet(d, "new")
		pod := kubetest.Pod(set, "new-1", kubetest.NewImage, kubetest.NotReady)
		probe := kubetest.Event(pod, "Unhealthy", "Readiness probe failed: connection refused", time.Now())
		probe.Count, probe.InvolvedObject.FieldPath = 12, "spec.containers{server}"
		w := startWait(t, []kube.Image{kubetest.Datastorage()}, d, set, pod, probe)
		took, err := w.end()
		failed := rolloutError(t, err)
		if !failed.NotInTime || failed.Reason != "Timeout" || took != 2*time.Minute || failed.Pod != "new-1" {
			t.Errorf("after %s %+v", took, failed)
		}
		for _, words := range []string{
			"not ready after 2m0s: 0 of 1 replicas available", "pod new-1: container server runs but is not ready",
			"Readiness probe failed: connection refused (12 times)", "fake logs",
		} {
			if strings.Count(strings.Join(strings.Fields(failed.Error()), " "), words) != 1 {
				t.Errorf("it does not say %q, or not only once:\n%v", words, failed)
			}
		}
	})
}

func TestADeletedWorkloadEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []kube.Image{kubetest.Datastorage()}, kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable))
		<-time.After(3 * time.Second)
		if err := w.api.AppsV1().Deployments("e2e").Delete(t.Context(), "datastorage", metav1.DeleteOptions{}); err != nil {
			t.Fatal(err)
		}
		took, err := w.end()
		if failed := rolloutError(t, err); failed.Reason != "Deleted" || took != 3*time.Second {
			t.Errorf("after %s %+v", took, failed)
		}
	})
}

func TestAnInterruptionEndsTheWaitWithItsCauseAndTheReports(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
		set := kubetest.ReplicaSet(d, "new")
		other := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable, func(d *appsv1.Deployment) { d.Name, d.UID = "other", "uid-other" })
		image := kubetest.Datastorage()
		image.Workloads = append(image.Workloads, "deployment/other")
		w := startWait(t, []kube.Image{image}, d, set, other)
		pod := kubetest.Pod(set, "new-1", kubetest.NewImage, kubetest.Crashes(1))
		kubetest.Put(t, w.api, kubetest.Event(pod, "Killing", "killed, token=hunter2", time.Now()))
		kubetest.Put(t, w.api, pod)
		<-time.After(time.Second)
		stopped := errors.New("stopped by interrupt")
		w.cancel(stopped)
		took, err := w.end()
		report := rolloutError(t, err)
		if !errors.Is(err, stopped) || took != time.Second || !strings.HasPrefix(err.Error(), "stopped waiting for 2 rollouts: stopped by interrupt\n\n") {
			t.Errorf("after %s error %v", took, err)
		}
		if report.Reason != "Interrupted" || report.NotInTime || report.Inconsistent || report.Pod != "new-1" || !slices.Equal(report.Logs, []string{"fake logs"}) ||
			!strings.Contains(report.Message, "not ready after 1s: ") || !slices.Contains(report.Events, "Killing: killed, token=***") {
			t.Errorf("the report is %+v", report)
		}
		if !strings.Contains(err.Error(), "deployment.apps/other in namespace e2e is not rolled out: Interrupted") {
			t.Errorf("one report is missing: %v", err)
		}
	})
}

func TestWhenOneFailsTheOthersGetALittleTime(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		named := func(name string) func(*appsv1.Deployment) {
			return func(d *appsv1.Deployment) {
				d.Name, d.UID = name, kubetest.MetaOf(name).UID
				d.Spec.Selector.MatchLabels, d.Spec.Template.Labels = map[string]string{"app": name}, map[string]string{"app": name}
			}
		}
		labelled := func(p *corev1.Pod) {
			p.Labels = map[string]string{"app": strings.TrimSuffix(p.Name, "-1")}
		}
		broken, soon, late := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable, named("broken")), kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable, named("soon")), kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable, named("late"))
		soonSet := kubetest.ReplicaSet(soon, "new")
		brokenSet := kubetest.ReplicaSet(broken, "new")
		image := kubetest.Datastorage()
		image.Workloads = []string{"deploy/late", "deploy/broken", "deploy/soon"}
		w := startWait(t, []kube.Image{image}, broken, soon, late, brokenSet, soonSet)
		<-time.After(20 * time.Second)
		kubetest.Put(t, w.api, kubetest.Pod(brokenSet, "broken-1", kubetest.NewImage, labelled, kubetest.Waits("ErrImageNeverPull", "x")))
		<-time.After(5 * time.Second)
		kubetest.Put(t, w.api, kubetest.Pod(soonSet, "soon-1", kubetest.NewImage, labelled))
		kubetest.RolledOut(soon)
		kubetest.Put(t, w.api, soon)
		took, err := w.end()
		if took != 30*time.Second {
			t.Errorf("it took %s", took)
		}
		if first := rolloutError(t, err); first.Workload != "deployment.apps/broken" || !first.Inconsistent {
			t.Errorf("the gravest is %+v", first)
		}
		if !strings.Contains(err.Error(), "\n\ndeployment.apps/late in namespace e2e is not rolled out: Unfinished") || strings.Contains(err.Error(), "deployment.apps/soon") {
			t.Error(err)
		}
	})
}

func TestAStatefulSetThatMayMakeNoPodsFailsWithTheEvent(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		store := kubetest.StatefulSet(kubetest.NewImage, 1, func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = 0 })
		image := kubetest.Datastorage()
		image.Workloads = []string{"sts/store"}
		w := startWait(t, []kube.Image{image}, store)
		<-time.After(25 * time.Second)
		kubetest.Put(t, w.api, kubetest.Event(store, "FailedCreate", "exceeded quota: pods=0", time.Now()))
		took, err := w.end()
		if failed := rolloutError(t, err); failed.Reason != "FailedCreate" || failed.Message != "exceeded quota: pods=0" || took != 25*time.Second {
			t.Errorf("after %s %+v", took, failed)
		}
	})
}

func TestWhatRunsNothingIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := startWait(t, []kube.Image{kubetest.Datastorage()}, kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) }, kubetest.RolledOut))
		if _, err := w.end(); err != nil || len(w.rollouts.Running()) > 0 {
			t.Errorf("error %v, running %v", err, w.rollouts.Running())
		}
		if want := []string{"deployment.apps/datastorage in namespace e2e: it has 0 replicas, so nothing runs the new image"}; !slices.Equal(w.report.Warnings, want) {
			t.Errorf("warned of %q", w.report.Warnings)
		}
	})
}

func TestWhatMayNotBeWatchedEndsTheWait(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &waiting{api: fake.NewClientset(kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)), report: &kubetest.Reporter{}, begun: time.Now(), err: make(chan error, 1)}
		w.api.PrependReactor("list", "pods", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "pods"}, "", errors.New(`User "ci" cannot list resource "pods"`))
		})
		w.start(t, []kube.Image{kubetest.Datastorage()})
		took, err := w.end()
		if err == nil || !strings.Contains(err.Error(), `cannot list resource "pods"`) || !strings.Contains(err.Error(), "docs/rbac.md") || took < refusedLimit || took > 3*refusedLimit {
			t.Errorf("after %s error %v", took, err)
		}
	})
}

func TestAnAPIServerThatRestartsIsWatchedAgain(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
		set := kubetest.ReplicaSet(d, "new")
		w := &waiting{api: fake.NewClientset(d, set), report: &kubetest.Reporter{}, begun: time.Now(), err: make(chan error, 1)}
		refused := 0
		w.api.PrependReactor("list", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			switch refused++; refused {
			case 1:
				return true, nil, errors.New("connection refused")
			case 2, 3:
				// It is there again, and has not read yet who may do what.
				return true, nil, apierrors.NewForbidden(schema.GroupResource{Resource: "deployments"}, "", nil)
			}
			return false, nil, nil
		})
		w.start(t, []kube.Image{kubetest.Datastorage()})
		kubetest.Put(t, w.api, kubetest.Pod(set, "new-1", kubetest.NewImage))
		kubetest.RolledOut(d)
		kubetest.Put(t, w.api, d)
		if took, err := w.end(); err != nil || took == 0 || took > time.Minute {
			t.Errorf("after %s error %v", took, err)
		}
	})
}

func TestATimeoutTellsThatTheAPIServerDidNotAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := &waiting{api: fake.NewClientset(kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)), report: &kubetest.Reporter{}, begun: time.Now(), err: make(chan error, 1)}
		w.api.PrependReactor("list", "deployments", func(clienttesting.Action) (bool, runtime.Object, error) {
			return true, nil, errors.New("connection refused")
		})
		w.start(t, []kube.Image{kubetest.Datastorage()})
		took, err := w.end()
		if failed := rolloutError(t, err); !failed.NotInTime || !strings.Contains(failed.Message, "connection refused") || took != 2*time.Minute {
			t.Errorf("after %s %+v", took, failed)
		}
	})
}
