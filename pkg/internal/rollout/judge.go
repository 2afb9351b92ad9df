package rollout

import (
	"fmt"
	"slices"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

const (
	// lastingAfter is how long a problem that may pass has to stay unchanged.
	lastingAfter = 10 * time.Second
	// recoveryTime is how long a pod that was there before has to show a problem that
	// otherwise ends the wait at once: the node may have got the image meanwhile,
	// and the kubelet tries again after 10 s plus up to half of that.
	recoveryTime = 20 * time.Second
)

// view is what is seen of one workload at one moment.
type view struct {
	// object is nil inside when the workload is not there.
	object kube.Object
	// current are the living pods of its template, others all else it owns.
	current, others []*corev1.Pod
	// diagnosed: events, warnings and nodes are watched.
	diagnosed bool
	// events of the workload itself.
	events []*corev1.Event
	// warnings about pods by their UIDs, nodes by their names.
	warnings map[types.UID][]*corev1.Event
	nodes    map[string]*corev1.Node
}

// waiting says in a few words what is missing.
func (v view) waiting() string {
	if v.object.Meta == nil {
		return "nothing was seen of it"
	}
	if waiting := judgeStatus(v.object).waiting; waiting != "" {
		return waiting
	}
	return "its status says that it is rolled out, but not all its pods are ready"
}

// verdict is what an evaluation tells.
type verdict struct {
	done bool
	// failure is set when success is impossible.
	failure *failure
	// again is when to evaluate again although nothing changes, 0 for never.
	again time.Duration
	// needsDiagnostics: events and nodes are needed to go on.
	needsDiagnostics bool
}

// failure is a rollout that ended, and the problem that ended it.
type failure struct {
	FailedError
	problem *problem
}

// judge evaluates one rollout again and again.
type judge struct {
	images      []kube.Image
	assigned    []kube.Assignment
	uid         types.UID
	generation  int64
	maxRestarts int
	// patched: no pod of the current template is older than the wait.
	patched bool
	// stale are the IDs of containers that do not count, as the target has them.
	stale map[string]bool
	// failedAt is when a Job was first seen to have failed.
	failedAt time.Time
	// failedBefore is how many pods of a Job had failed before the wait.
	failedBefore int32
	// begun is set by the first evaluation.
	begun bool
	// before has what was wrong at the first evaluation, and deadline when the
	// controller gave up, if it had by then.
	before   map[string]bool
	deadline metav1.Time
	// since is when each problem was first seen, with its first message.
	since map[string]firstSeen
}

type firstSeen struct {
	at time.Time
	problem
}

func newJudge(t *kube.Target) *judge {
	j := &judge{
		images: t.Images, assigned: t.Assigned, uid: t.Object.Meta.UID, generation: t.Object.Meta.Generation,
		maxRestarts: t.MaxRestarts(), patched: t.Patched, stale: t.Stale,
		before: map[string]bool{}, since: map[string]firstSeen{},
	}
	if of, ok := t.Object.Object.(*batchv1.Job); ok {
		j.failedBefore = of.Status.Failed
	}
	return j
}

// evaluate judges what is seen now.
func (j *judge) evaluate(v view, now time.Time) verdict {
	if failed := j.replacedFailure(v); failed != nil {
		return verdict{failure: failed}
	}
	if v.object.Meta.Generation < j.generation {
		// The cache has not seen our own patch yet.
		return verdict{}
	}
	progress := judgeStatus(v.object)
	if progress.done && j.settled(v, progress) {
		if left := settling(v.current, now); left > 0 {
			return verdict{again: left}
		}
		return verdict{done: true}
	}
	problems := j.problems(v, progress)
	if !j.begun {
		j.begun = true
		j.noteEarlierProblems(v, problems)
	}
	if left := j.podStillToCome(v, progress, now); left > 0 {
		return verdict{again: left}
	}
	if progress.impossible != nil && !j.gaveUpBefore(v, progress.impossible) {
		return verdict{failure: &failure{FailedError: *progress.impossible, problem: culprit(v)}}
	}
	return j.endIfLasting(v, problems, now)
}

// settled tells whether the pods are as the workload's status says. What pods and
// workload say reaches the caches at different times.
func (j *judge) settled(v view, progress rolloutStatus) bool {
	if ends(v.object) && progress.idle == "" {
		return !slices.ContainsFunc(v.current, func(pod *corev1.Pod) bool { return !kube.HasEnded(pod) })
	}
	return len(j.running(v)) >= int(progress.pods)
}

// replacedFailure is the failure of a workload that is not what was deployed any more.
func (j *judge) replacedFailure(v view) *failure {
	switch {
	case v.object.Meta == nil:
		return &failure{FailedError: FailedError{
			Reason: reasonDeleted, Message: "it was deleted during its rollout",
		}}
	case v.object.Meta.UID != j.uid:
		return &failure{FailedError: FailedError{
			Reason: reasonDeleted, Message: "it was deleted and recreated during its rollout; deploy again",
		}}
	case v.object.Meta.Generation <= j.generation:
		return nil
	}
	images := kube.ImagesOf(&v.object.Template.Spec)
	for _, a := range j.assigned {
		if has := images[a.Container.Name]; !a.Image.Is(has) {
			return &failure{FailedError: FailedError{
				Reason: "Replaced", Container: a.Container.Name, Image: has, Inconsistent: true,
				Message: fmt.Sprintf("somebody else changed the container's image during the rollout of %s; deploy again",
					a.Image.Image),
			}}
		}
	}
	return nil
}

// noteEarlierProblems notes what was wrong before anything could mend it.
func (j *judge) noteEarlierProblems(v view, problems []problem) {
	if j.patched {
		return
	}
	for _, p := range problems {
		// A crash loop and pods that nobody replaces stay what they are.
		if p.class != classCrash && p.class != classOld {
			j.before[p.key()] = true
		}
	}
	if condition := deadlineCondition(v.object); condition != nil {
		j.deadline = condition.LastUpdateTime
	}
}

// gaveUpBefore: the controller gave up before this wait, which is no news. Its
// rollout goes on all the same.
func (j *judge) gaveUpBefore(v view, impossible *FailedError) bool {
	condition := deadlineCondition(v.object)
	return impossible.Reason == deadlineExceeded && condition != nil && !j.deadline.IsZero() &&
		condition.LastUpdateTime.Equal(&j.deadline)
}

func deadlineCondition(o kube.Object) *appsv1.DeploymentCondition {
	if d, ok := o.Object.(*appsv1.Deployment); ok {
		for _, condition := range d.Status.Conditions {
			if condition.Type == appsv1.DeploymentProgressing && condition.Reason == deadlineExceeded {
				return &condition
			}
		}
	}
	return nil
}

// endIfLasting ends the wait on a problem that is final or has lasted.
func (j *judge) endIfLasting(v view, problems []problem, now time.Time) verdict {
	var result verdict
	present := map[string]bool{}
	for _, p := range problems {
		key := p.key()
		present[key] = true
		first, known := j.since[key]
		if !known {
			first = firstSeen{at: now, problem: p}
			j.since[key] = first
		}
		if p.class == classPullAgain {
			continue
		}
		left := j.patience(p) - now.Sub(first.at)
		if left > 0 {
			if result.again == 0 || left < result.again {
				result.again = left
			}
			continue
		}
		if p.class == classMissing || p.class == classStalled {
			if !v.diagnosed {
				result.needsDiagnostics = true
				continue
			}
			why, again := explainProblem(p, v, now)
			if why == nil {
				if again > 0 && (result.again == 0 || again < result.again) {
					result.again = again
				}
				continue
			}
			first.reason, first.message, first.hint = why.reason, why.message, why.hint
		}
		// The first reason and message have the cause; all else is as it is now.
		p.reason, p.message, p.hint = first.reason, first.message, first.hint
		return verdict{failure: &failure{
			FailedError: FailedError{Reason: p.reason, Message: p.message, Hint: p.hint}, problem: &p,
		}}
	}
	for key := range j.since {
		if !present[key] {
			delete(j.since, key)
			delete(j.before, key)
		}
	}
	return result
}

// explainProblem is why pods are missing or one is stalled, nil while that is not known;
// again is when to evaluate again then, 0 for never.
func explainProblem(p problem, v view, now time.Time) (why *problem, again time.Duration) {
	if p.class == classStalled {
		return stalledCause(p.pod, v, now)
	}
	refused := creationRefusal(v.events)
	if refused == nil {
		return nil, 0
	}
	return &problem{reason: refused.Reason, message: refused.Message}, 0
}

func (j *judge) patience(p problem) time.Duration {
	switch {
	case !p.atOnce:
		return lastingAfter
	case j.before[p.key()]:
		return recoveryTime
	}
	return 0
}

func firstUnready(pods []*corev1.Pod) *problem {
	for _, pod := range pods {
		if !podReady(pod) && pod.Status.Phase != corev1.PodSucceeded {
			return unreadyProblem(pod)
		}
	}
	return nil
}
