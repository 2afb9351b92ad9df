package rollout

import (
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

// looks lets a judge look at the same view every second until it is done, fails
// or two minutes are over, and tells what came of it and when.
func looks(t *testing.T, of runtime.Object, patched bool, v view) (verdict, time.Duration) {
	t.Helper()
	j := judgeOf(t, of, patched)
	v.object, _ = kube.AsObject(of)
	begun := time.Unix(1000, 0)
	for after := time.Duration(0); after <= 2*time.Minute; after += time.Second {
		got := j.evaluate(v, begun.Add(after))
		if got.done || got.failure != nil || got.needsDiagnostics {
			return got, after
		}
	}
	return verdict{}, 0
}

func judgeOf(t *testing.T, of runtime.Object, patched bool) *judge {
	t.Helper()
	o, err := kube.AsObject(of)
	if err != nil {
		t.Fatal(err)
	}
	assigned, err := kube.Assign([]kube.Image{kubetest.Datastorage()}, &o.Template.Spec)
	if err != nil {
		t.Fatal(err)
	}
	return newJudge(&kube.Target{Images: []kube.Image{kubetest.Datastorage()}, Object: o, Assigned: assigned, Patched: patched})
}

func TestAPodMakesTheRolloutFail(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	set := kubetest.ReplicaSet(d, "new")
	sidecar := func(reason string) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			kubetest.NotReady(p)
			p.Spec.Containers = append(p.Spec.Containers, kubetest.Container("sidecar", "localhost/proxy:1"))
			p.Status.ContainerStatuses = append(p.Status.ContainerStatuses, corev1.ContainerStatus{
				Name: "sidecar", State: corev1.ContainerState{Waiting: &corev1.ContainerStateWaiting{Reason: reason}},
			})
		}
	}
	startError := func(p *corev1.Pod) {
		kubetest.Crashes(1)(p)
		p.Status.ContainerStatuses[0].LastTerminationState.Terminated = &corev1.ContainerStateTerminated{
			ExitCode: 128, Reason: "StartError", Message: "exec /server: exec format error",
		}
	}
	startErrorNow := func(p *corev1.Pod) {
		startError(p)
		status := &p.Status.ContainerStatuses[0]
		status.State = corev1.ContainerState{Terminated: status.LastTerminationState.Terminated}
	}
	runsAfter := func(restarts int32) func(*corev1.Pod) {
		return func(p *corev1.Pod) {
			kubetest.NotReady(p)
			p.Status.ContainerStatuses[0].RestartCount = restarts
		}
	}
	const never = time.Duration(-1)
	for _, test := range []struct {
		name         string
		pod          func(*corev1.Pod)
		unpatched    bool
		after        time.Duration
		reason       string
		inconsistent bool
	}{
		{"at once when the image is not on the node", kubetest.Waits("ErrImageNeverPull", "x"), false, 0, "ErrImageNeverPull", true},
		{"at once when the image's name is not one", kubetest.Waits("InvalidImageName", "x"), false, 0, "InvalidImageName", false},
		{"at once when a recorded image would be pulled", kubetest.Waits("ErrImagePull", "x"), false, 0, "ErrImagePull", true},
		{"at once when a recorded image was not pulled", kubetest.Waits("ImagePullBackOff", "x"), false, 0, "ImagePullBackOff", true},
		{"at once when another container may not pull its image", sidecar("ErrImageNeverPull"), false, 0, "ErrImageNeverPull", false},
		{"after a while when another container cannot pull its image", sidecar("ImagePullBackOff"), false, lastingAfter, "ImagePullBackOff", false},
		{"after a while when its configuration is missing", kubetest.Waits("CreateContainerConfigError", "secret not found"), false, lastingAfter, "CreateContainerConfigError", false},
		{"after a while when it cannot be created", kubetest.Waits("CreateContainerError", "x"), false, lastingAfter, "CreateContainerError", false},
		{"after a while when it cannot be run", kubetest.Waits("RunContainerError", "x"), false, lastingAfter, "RunContainerError", false},
		{"after a while when it cannot be started", startError, false, lastingAfter, "StartError", false},
		{"after a while when it cannot be started, as it is told right then", startErrorNow, false, lastingAfter, "StartError", false},
		{"after a while when it gets no node", kubetest.Unscheduled, false, lastingAfter, "Unschedulable", false},
		{"at once when it has crashed too often", kubetest.Crashes(3), false, 0, "CrashLoopBackOff", false},
		{"not while it may crash again", kubetest.Crashes(2), false, never, "", false},
		{"not while it runs, however often it crashed", runsAfter(9), false, never, "", false},
		{"not while it is being created", kubetest.Waits("ContainerCreating", ""), false, never, "", false},
		{"later when it was broken before the wait, as the node may have got the image since", kubetest.Waits("ErrImageNeverPull", "x"), true, recoveryTime, "ErrImageNeverPull", true},
		{"at once when it had crashed too often before the wait", kubetest.Crashes(4), true, 0, "CrashLoopBackOff", false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, after := looks(t, d, !test.unpatched, view{current: []*corev1.Pod{kubetest.Pod(set, "new-1", kubetest.NewImage, test.pod)}})
			if test.after == never {
				if got.failure != nil {
					t.Errorf("failed after %s: %+v", after, got.failure)
				}
				return
			}
			if got.failure == nil {
				t.Fatal("did not fail")
			}
			if after != test.after || got.failure.Reason != test.reason || got.failure.problem.inconsistent != test.inconsistent {
				t.Errorf("after %s %s, inconsistent %t", after, got.failure.Reason, got.failure.problem.inconsistent)
			}
			if format := strings.Contains(got.failure.Message, "exec format"); format != strings.Contains(got.failure.Hint, "CPU architecture") {
				t.Errorf("the hint is %q", got.failure.Hint)
			}
		})
	}
}

func TestTheFirstMessageIsKept(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	set := kubetest.ReplicaSet(d, "new")
	sidecar := func(reason, message string) view {
		v := view{current: []*corev1.Pod{kubetest.Pod(set, "new-1", "localhost/other:1", kubetest.Waits(reason, message))}}
		v.object, _ = kube.AsObject(d)
		return v
	}
	j := judgeOf(t, d, true)
	at := time.Unix(1000, 0)
	if got := j.evaluate(sidecar("ErrImagePull", "no route to host"), at); got.failure != nil || got.again != lastingAfter {
		t.Fatalf("verdict is %+v", got)
	}
	if got := j.evaluate(sidecar("ImagePullBackOff", "Back-off pulling image"), at.Add(4*time.Second)); got.failure != nil || got.again != 6*time.Second {
		t.Fatalf("verdict is %+v", got)
	}
	got := j.evaluate(sidecar("ImagePullBackOff", "Back-off pulling image"), at.Add(lastingAfter))
	if got.failure == nil || got.failure.Reason != "ErrImagePull" || got.failure.Message != "no route to host" {
		t.Errorf("verdict is %+v", got)
	}
}

func TestAProblemThatPassesStartsAnew(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	set := kubetest.ReplicaSet(d, "new")
	seen := func(edit func(*corev1.Pod)) view {
		v := view{current: []*corev1.Pod{kubetest.Pod(set, "new-1", kubetest.NewImage, edit)}}
		v.object, _ = kube.AsObject(d)
		return v
	}
	j := judgeOf(t, d, true)
	at := time.Unix(1000, 0)
	j.evaluate(seen(kubetest.Waits("CreateContainerConfigError", "x")), at)
	j.evaluate(seen(kubetest.NotReady), at.Add(9*time.Second))
	if got := j.evaluate(seen(kubetest.Waits("CreateContainerConfigError", "x")), at.Add(11*time.Second)); got.failure != nil || got.again != lastingAfter {
		t.Errorf("verdict is %+v", got)
	}
}

func TestAPodWithoutNodeIsNoProblemWhileOthersLeave(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	set := kubetest.ReplicaSet(d, "new")
	v := view{current: []*corev1.Pod{kubetest.Pod(set, "new-1", kubetest.NewImage, kubetest.Unscheduled)}, others: []*corev1.Pod{kubetest.Pod(set, "old-1", kubetest.OldImage, kubetest.Terminating)}}
	if got, after := looks(t, d, true, v); got.failure != nil {
		t.Errorf("failed after %s: %+v", after, got.failure)
	}
}

func TestOldRevisionsDoNotMatterToADeployment(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.Unavailable)
	old := kubetest.ReplicaSet(kubetest.Deployment(kubetest.OldImage), "old")
	v := view{others: []*corev1.Pod{kubetest.Pod(old, "old-1", kubetest.OldImage, kubetest.Crashes(50)), kubetest.Pod(old, "old-2", kubetest.OldImage, kubetest.Waits("ErrImageNeverPull", "x"))}}
	if got, after := looks(t, d, true, v); got.failure != nil {
		t.Errorf("failed after %s: %+v", after, got.failure)
	}
}

func TestABrokenOldPodBlocksAStatefulSet(t *testing.T) {
	t.Parallel()
	blocked := kubetest.StatefulSet(kubetest.NewImage, 2, func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = 0 })
	v := view{others: []*corev1.Pod{kubetest.Pod(blocked, "store-0", kubetest.OldImage, kubetest.Waits("ErrImageNeverPull", "not on the node"))}}
	got, after := looks(t, blocked, true, v)
	if got.failure == nil || after != lastingAfter || got.failure.Reason != "BlockedByOldPod" ||
		!strings.Contains(got.failure.Message, "not on the node") || !strings.Contains(got.failure.Hint, "kubectl delete pod store-0 -n e2e") {
		t.Errorf("after %s %+v", after, got.failure)
	}
	parallel := kubetest.StatefulSet(kubetest.NewImage, 2, func(s *appsv1.StatefulSet) {
		s.Status.UpdatedReplicas, s.Spec.PodManagementPolicy = 0, appsv1.ParallelPodManagement
	})
	v.others = append(v.others, kubetest.Pod(parallel, "store-1", kubetest.OldImage))
	if got, after := looks(t, parallel, true, v); got.failure != nil {
		t.Errorf("a Parallel one failed after %s: %+v", after, got.failure)
	}
}

func TestPodsThatAreNotMade(t *testing.T) {
	t.Parallel()
	store := kubetest.StatefulSet(kubetest.NewImage, 2, func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = 1 })
	agent := kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) { d.Status.UpdatedNumberScheduled = 0 })
	ready, starting := kubetest.Pod(store, "store-0", kubetest.NewImage), kubetest.Pod(store, "store-0", kubetest.NewImage, kubetest.NotReady)
	refused := kubetest.Event(store, "FailedCreate", "exceeded quota: pods", time.Unix(50, 0))
	made := kubetest.Event(store, "SuccessfulCreate", "made", time.Unix(60, 0))
	for _, test := range []struct {
		name string
		of   runtime.Object
		view view
		want string
	}{
		{"events are asked for when a StatefulSet lacks one", store, view{current: []*corev1.Pod{ready}}, "ask"},
		{"events are asked for when a DaemonSet lacks one", agent, view{}, "ask"},
		{"not while the one before is not ready", store, view{current: []*corev1.Pod{starting}}, ""},
		{"not while one is on its way out", store, view{current: []*corev1.Pod{ready}, others: []*corev1.Pod{kubetest.Pod(store, "store-1", kubetest.OldImage, kubetest.Terminating)}}, ""},
		{"it fails with the event that says why", store, view{current: []*corev1.Pod{ready}, diagnosed: true, events: []*corev1.Event{refused}}, "exceeded quota: pods"},
		{"an event that was overcome is no failure", store, view{current: []*corev1.Pod{ready}, diagnosed: true, events: []*corev1.Event{made, refused}}, ""},
		{"without events there is only the timeout", store, view{current: []*corev1.Pod{ready}, diagnosed: true}, ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, after := looks(t, test.of, true, test.view)
			has := ""
			switch {
			case got.failure != nil:
				has = got.failure.Message
			case got.needsDiagnostics:
				has = "ask"
			}
			if has != test.want || has != "" && after != lastingAfter {
				t.Errorf("%q after %s, want %q", has, after, test.want)
			}
		})
	}
}

func TestADeadlineThatPassedBeforeTheWaitIsNoNews(t *testing.T) {
	t.Parallel()
	gaveUp := func(d *appsv1.Deployment) {
		kubetest.Unavailable(d)
		condition := appsv1.DeploymentCondition{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: deadlineExceeded}
		condition.LastUpdateTime.Time = time.Unix(500, 0)
		d.Status.Conditions = append(d.Status.Conditions, condition)
	}
	d := kubetest.Deployment(kubetest.NewImage, gaveUp)
	if got, _ := looks(t, d, false, view{}); got.failure != nil {
		t.Errorf("failed: %+v", got.failure)
	}
	if got, after := looks(t, d, true, view{}); got.failure == nil || after != 0 || got.failure.Reason != deadlineExceeded {
		t.Errorf("after %s %+v", after, got.failure)
	}
}

func TestAWorkloadThatIsNotWhatWasDeployed(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		is   runtime.Object
		want string
	}{
		{"was deleted", nil, "Deleted"},
		{"was made anew", kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) { d.UID = "another" }), "Deleted"},
		{"got another image", kubetest.Deployment("localhost/evil:1", func(d *appsv1.Deployment) { d.Generation = 2 }), "Replaced"},
		{"was scaled", kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) { d.Generation = 2 }), ""},
		{"is seen as it was before our patch", kubetest.Deployment(kubetest.OldImage, func(d *appsv1.Deployment) { d.Generation = 0 }, kubetest.RolledOut), ""},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			v := view{}
			if test.is != nil {
				v.object, _ = kube.AsObject(test.is)
			}
			got := judgeOf(t, kubetest.Deployment(kubetest.NewImage), true).evaluate(v, time.Unix(1000, 0))
			reason := ""
			if got.failure != nil {
				reason = got.failure.Reason
			}
			if reason != test.want || got.done {
				t.Errorf("reason %q, done %t, want %q", reason, got.done, test.want)
			}
		})
	}
}

func TestItIsDoneOnlyWhenThePodsAreSeenToRun(t *testing.T) {
	t.Parallel()
	d := kubetest.Deployment(kubetest.NewImage, kubetest.RolledOut)
	set := kubetest.ReplicaSet(d, "new")
	for _, test := range []struct {
		name string
		pods []*corev1.Pod
		want bool
	}{
		{"a ready pod", []*corev1.Pod{kubetest.Pod(set, "a", kubetest.NewImage)}, true},
		{"no pod in the cache yet", nil, false},
		{"a pod that is not ready", []*corev1.Pod{kubetest.Pod(set, "a", kubetest.NewImage, kubetest.NotReady)}, false},
		{"a pod whose container has no ID", []*corev1.Pod{kubetest.Pod(set, "a", kubetest.NewImage, func(p *corev1.Pod) { p.Status.ContainerStatuses[0].ContainerID = "" })}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			if got, _ := looks(t, d, true, view{current: test.pods}); got.done != test.want {
				t.Errorf("done is %t", got.done)
			}
		})
	}
}
