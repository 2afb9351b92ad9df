package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

func TestHowTheContextEndedIsFound(t *testing.T) {
	t.Parallel()
	cause := errors.New("NodeTimeout")
	cancelled, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	late, stop := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), cause)
	defer stop()
	own, stop := context.WithDeadlineCause(t.Context(), time.Now().Add(-time.Second), &TimeoutError{errors.New("not done after --timeout=1s")})
	defer stop()
	report := fmt.Errorf("waiting was ended: %w\n\n%w", cause, &rollout.FailedError{Reason: "Interrupted", Logs: []string{"no database"}})
	for name, test := range map[string]struct {
		ctx                             context.Context
		err                             error
		canceled, deadline, timeout, is bool
	}{
		"nothing failed":                      {ctx: cancelled},
		"the context goes on":                 {ctx: t.Context(), err: cause, is: true},
		"cancelled":                           {ctx: cancelled, err: report, canceled: true, is: true},
		"its deadline passed":                 {ctx: late, err: report, deadline: true, timeout: true, is: true},
		"a deadline with a cause of ours":     {ctx: own, err: context.Cause(own), deadline: true, timeout: true},
		"a command that says only how":        {ctx: cancelled, err: errors.New("signal: killed"), canceled: true, is: true},
		"what does not agree stays that":      {ctx: late, err: &InconsistentError{cause}, is: true},
		"what does not agree, when cancelled": {ctx: cancelled, err: &InconsistentError{cause}, canceled: true, is: true},
		"a mistake stays one":                 {ctx: late, err: &UsageError{cause}, is: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := ended(test.ctx, test.err)
			if test.err == nil {
				if err != nil {
					t.Errorf("error %v", err)
				}
				return
			}
			if errors.Is(err, context.Canceled) != test.canceled || errors.Is(err, context.DeadlineExceeded) != test.deadline || as[*TimeoutError](err) != test.timeout || errors.Is(err, cause) != test.is {
				t.Errorf("error %v of %T", err, err)
			}
			if err.Error() != test.err.Error() {
				t.Errorf("it says %q", err.Error())
			}
		})
	}
	var failed *rollout.FailedError
	if err := ended(late, report); !errors.As(err, &failed) || failed.Logs[0] != "no database" {
		t.Errorf("the diagnosis is lost: %v", err)
	}
}

func TestARolloutThatGoesOnHasItsState(t *testing.T) {
	t.Parallel()
	s := ImageStatus{Workloads: []WorkloadStatus{{Running: 1, Wanted: 2}, {Running: 0, Wanted: 1}}}
	s.problem(StateRolling, "", "x runs it in 1 of 2 pods")
	s.settle()
	if s.State != StateRolling || s.Running != 1 || s.Wanted != 3 {
		t.Errorf("%+v", s)
	}
}

func TestWhatVerifyFindsIsInItsError(t *testing.T) {
	t.Parallel()
	image := ImageStatus{Name: "a", Consumer: "c", State: StateDrifted, Problems: []Problem{{StateDrifted, "it runs another", "deploy it"}, {StateMissing, "it is not on n1", ""}}}
	var err error = &InconsistentError{&DisagreementError{Images: []ImageStatus{image}, Mend: []string{"deploy it"}, Of: 3}}
	var found *DisagreementError
	if !errors.As(err, &found) || len(found.Images[0].Problems) != 2 {
		t.Errorf("%v", err)
	}
	if want := "1 of 3 images does not agree with its record\na (c): Drifted: it runs another\na (c): MissingOnNodes: it is not on n1\nmend it: deploy it"; err.Error() != want {
		t.Errorf("%v", err)
	}
}

func TestACallersDeadlineKeepsTheDiagnosis(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.api = kubetest.New(nil) // whose Deployments never get ready
	b.tagged("suite")
	labels := map[string]string{"app": "datastorage"}
	d := &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Name: "datastorage", Namespace: namespace, UID: "d", Generation: 1},
		Spec: appsv1.DeploymentSpec{Selector: &metav1.LabelSelector{MatchLabels: labels}, Template: corev1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: labels}, Spec: corev1.PodSpec{Containers: []corev1.Container{{Name: "server", Image: source}}},
		}},
	}
	if _, err := b.api.AppsV1().Deployments(namespace).Create(t.Context(), d, metav1.CreateOptions{}); err != nil {
		t.Fatal(err)
	}
	cause := errors.New("the node timed out")
	ctx, cancel := context.WithTimeoutCause(t.Context(), 2*time.Second, cause)
	defer cancel()
	in := DeployInput{Suite: suite("suite", "datastorage")}
	in.Suite.Images[0].Deploy = config.Deploy{Workloads: []string{"deployment/datastorage"}, Timeout: time.Minute}
	var told []DeployedWorkload
	in.Changed = func(one DeployedWorkload) {
		told = append(told, one)
		if ctx.Err() != nil {
			t.Error("what was changed is told only when the wait is over")
		}
	}
	result, err := b.client().Deploy(ctx, in)
	if !errors.Is(err, context.DeadlineExceeded) || !errors.Is(err, cause) || !as[*TimeoutError](err) {
		t.Errorf("error %v", err)
	}
	if !strings.Contains(err.Error(), "deployment.apps/datastorage in namespace tests is not rolled out: Interrupted") || result == nil || len(result.Workloads) != 1 {
		t.Errorf("the diagnosis is lost: %v, %+v", err, result)
	}
	var failed *RolloutError
	if !errors.As(err, &failed) || !failed.Ended || failed.Workload != "deployment.apps/datastorage" || CodeOf(err) != CodeRollout || ExitCode(err) != exitTimeout {
		t.Errorf("%s, exit code %d, %+v", CodeOf(err), ExitCode(err), failed)
	}
	if len(told) != 1 || told[0].Action != "image updated" {
		t.Errorf("told %+v", told)
	}
}
