package rollout

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestARolloutErrorIsReadable(t *testing.T) {
	t.Parallel()
	e := &FailedError{
		Workload: "deployment.apps/datastorage", Namespace: "e2e", Reason: "ErrImageNeverPull",
		Pod: "datastorage-7d4b-x2x", Container: "server", Node: "kind-worker", Image: kubetest.NewImage,
		Message: `Container image "localhost/datastorage:wf-new" is not present with pull policy of Never`,
		Events:  []string{"Scheduled: assigned", "Failed: Error: ErrImageNeverPull"}, Logs: []string{"first", "second"},
		Hint: "do something about it",
	}
	const want = `deployment.apps/datastorage in namespace e2e is not rolled out: ErrImageNeverPull
  pod       datastorage-7d4b-x2x
  container server
  node      kind-worker
  image     localhost/datastorage:wf-new
  message   Container image "localhost/datastorage:wf-new" is not present with
            pull policy of Never
  events    Scheduled: assigned
            Failed: Error: ErrImageNeverPull
  log       first
            second
do something about it
look closer: kubectl describe pod datastorage-7d4b-x2x -n e2e`
	if diff := cmp.Diff(want, e.Error()); diff != "" {
		t.Error(diff)
	}
	e.crashed = true
	if !strings.Contains(e.Error(), "kubectl logs datastorage-7d4b-x2x -n e2e -c server --previous") {
		t.Error(e)
	}
}

func TestWithoutAPodTheWorkloadIsLookedAt(t *testing.T) {
	t.Parallel()
	e := &FailedError{Workload: "deployment.apps/datastorage", Namespace: "e2e", Reason: "FailedCreate", Message: "exceeded quota"}
	if !strings.HasSuffix(e.Error(), "look closer: kubectl describe deployment.apps/datastorage -n e2e") {
		t.Error(e)
	}
}
