package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func statedThree() *e2eimage.StatusResult {
	return &e2eimage.StatusResult{Namespace: "tests", Mend: []string{"kubectl e2eimage up none", "kubectl e2eimage deploy gateway"}, Images: []e2eimage.ImageStatus{
		{
			Name: "datastorage", Consumer: "suite", Image: "localhost/datastorage:suite-1", Repository: "localhost/datastorage", Tag: "suite-1", ImageID: imageID, NodesWith: []string{"a", "b"}, Running: 2, Wanted: 2,
			Workloads: []e2eimage.WorkloadStatus{{Name: "deployment.apps/datastorage", Running: 2, Wanted: 2}}, State: e2eimage.StateConsistent, By: "me@here",
			Disk: []e2eimage.NodeDisk{{Node: "a", BlobBytes: 12_300_000, UnsharedBlobBytes: 1_200}, {Node: "b", BlobBytes: 9, UnsharedBlobBytes: 9}},
		},
		{
			Name: "gateway", Consumer: "suite", Image: "localhost/gateway:suite-1", Repository: "localhost/gateway", Tag: "suite-1", ImageID: otherID, NodesWith: []string{"a"}, NodesWithout: []string{"b"},
			State:    e2eimage.StateMissing,
			Problems: []e2eimage.Problem{{State: e2eimage.StateMissing, Text: "localhost/gateway:suite-1 is not on b"}},
		},
		{Name: "none", State: e2eimage.StateUnfinished, Problems: []e2eimage.Problem{{State: e2eimage.StateUnfinished, Text: "nothing is recorded"}}},
	}}
}

func TestStatusLooksAsWritten(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{"status": "status", "status-wide": "status -o wide", "status-json": "status -o json", "verify": "verify"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.stated = statedThree()
			c.done(line)
			golden(t, name, c.out.String())
		})
	}
}

func TestStatusOfNothingSaysSo(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.stated = &e2eimage.StatusResult{Namespace: "tests"}
	c.done("status -n tests --timeout 5s")
	if c.out.Len() > 0 || !strings.Contains(c.errOut.String(), "nothing is recorded in namespace tests") {
		t.Errorf("%q, %q", c.out.String(), c.errOut.String())
	}
	c.done("verify a --wait --timeout 9s")
	if got := c.library.verify[0]; !got.Wait || got.Timeout.Seconds() != 9 {
		t.Errorf("verify got %+v", got)
	}
}

func TestOrphansAreOfNoName(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.fails("clean a --orphans", exitUsage, "--orphans takes no NAME")
}

func TestVerifyPrintsForProgramsWhatItProvedAndHowToMendTheRest(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.stated = statedThree()
	c.library.stated.Mend = []string{"a && b <c>"}
	c.done("verify -o json")
	if got := c.out.String(); strings.Contains(got, `\u00`) || !strings.Contains(got, `"a && b <c>"`) || !strings.Contains(got, `"datastorage"`) {
		t.Errorf("as JSON it is %s", got)
	}
	c.out.Reset()
	c.done("verify -o name")
	if got := c.out.String(); got != "gateway\nnone\n" {
		t.Errorf("the names to mend are %q", got)
	}
}

func TestStatusSaysWhyPodsAreNotReady(t *testing.T) {
	t.Parallel()
	stated := statedThree()
	stated.Images, stated.Mend = stated.Images[:1], nil
	one := &stated.Images[0]
	one.State, one.Running = e2eimage.StateFailed, 0
	one.Workloads[0].Running, one.Workloads[0].Reason = 0, "restarted 3 times, last exit code 1"
	for line, want := range map[string][2]string{
		"status":         {"Failed", "datastorage: Failed: deployment/datastorage 0/2, restarted 3 times, last exit code 1\nits pod, log and events: kubectl e2eimage verify --wait\n"},
		"status -o wide": {"deployment/datastorage 0/2, restarted 3 times, last exit code 1", "its pod, log and events: kubectl e2eimage verify --wait\n"},
		"status -o json": {`"reason": "restarted 3 times, last exit code 1"`, ""},
	} {
		c := newConsole(t)
		c.library.stated = stated
		c.done(line)
		if !strings.Contains(c.out.String(), want[0]) || c.errOut.String() != want[1] {
			t.Errorf("%s: %s%s", line, c.out.String(), c.errOut.String())
		}
	}
}

func TestStatusLeadsToTheLogOfACronJobsLastJob(t *testing.T) {
	t.Parallel()
	stated := statedThree()
	stated.Images, stated.Mend = stated.Images[:1], nil
	one := &stated.Images[0]
	const why = "its last Job sweep-2 has failed: Job has reached the specified backoff limit"
	one.Namespace, one.State = "tests", e2eimage.StateFailed
	one.Problems = []e2eimage.Problem{{State: e2eimage.StateFailed, Text: "cronjob.batch/sweep: " + why}}
	one.Workloads = []e2eimage.WorkloadStatus{{Name: "cronjob.batch/sweep", Phase: "Scheduled", FailedJob: "sweep-2", Reason: why}}
	c := newConsole(t)
	c.library.stated = stated
	c.done("status --context kind-dev")
	want := "datastorage: Failed: cronjob/sweep Scheduled, " + why + "\nits log: kubectl logs job/sweep-2 -n tests --context kind-dev\n"
	if c.errOut.String() != want {
		t.Errorf("stderr %s", c.errOut.String())
	}
	c.out.Reset()
	c.done("verify --wait")
	want = "datastorage: Failed: cronjob.batch/sweep: " + why + "\n\nits log:\n  kubectl logs job/sweep-2 -n tests\n"
	if c.out.String() != want {
		t.Errorf("stdout %s", c.out.String())
	}
}

func TestATimeoutEndsAWatchOnceItHasLooked(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		watched []*e2eimage.StatusResult
		line    string
		code    int
	}{
		"it has looked":     {[]*e2eimage.StatusResult{statedThree()}, "status --watch --timeout 10ms", exitDone},
		"it has looked not": {nil, "status --watch --timeout 10ms", exitTimeout},
		"in JSON":           {[]*e2eimage.StatusResult{statedThree()}, "status -w -o json --timeout 10ms", exitDone},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.watched = test.watched
			c.library.during = func(ctx context.Context) { <-ctx.Done() }
			c.library.err = &e2eimage.TimeoutError{Err: fmt.Errorf("not done: %w", context.DeadlineExceeded)}
			if code := c.run(test.line); code != test.code || (code == exitDone) != (c.errOut.Len() == 0) {
				t.Errorf("exit code %d: %s", code, c.errOut.String())
			}
		})
	}
}

func TestAWatchWithoutTimeoutHasNone(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.during = func(ctx context.Context) {
		if at, ok := ctx.Deadline(); ok {
			t.Errorf("it ends at %v", at)
		}
	}
	c.done("status --watch")
	c.done("status --watch --timeout 0")
}
