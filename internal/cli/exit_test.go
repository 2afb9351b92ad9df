package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestExitCodesTellErrorsApart(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		err  error
		want int
	}{
		"done":                        {nil, 0},
		"plain":                       {errors.New("x"), 1},
		"cancelled, by no signal":     {context.Canceled, 1},
		"usage, by the library":       {&e2eimage.UsageError{Err: errors.New("x")}, 2},
		"usage, by the config":        {&config.UsageError{Problems: []config.Problem{{What: "x"}}}, 2},
		"inconsistent":                {&e2eimage.InconsistentError{Err: errors.New("x")}, 3},
		"a code of the library":       {&e2eimage.Error{Code: e2eimage.CodeStale}, 3},
		"timeout":                     {&e2eimage.TimeoutError{Err: errors.New("x")}, 124},
		"deadline":                    {context.DeadlineExceeded, 124},
		"interrupted":                 {&SignalError{os.Interrupt}, 130},
		"terminated":                  {&SignalError{syscall.SIGTERM}, 143},
		"a timeout whose undo failed": {errors.Join(&e2eimage.TimeoutError{Err: errors.New("x")}, errors.New("y")), 124},
		"inconsistent before usage":   {errors.Join(&e2eimage.UsageError{Err: errors.New("x")}, &e2eimage.InconsistentError{Err: errors.New("y")}), 3},
		"a signal before all":         {errors.Join(&e2eimage.InconsistentError{Err: errors.New("x")}, &SignalError{os.Interrupt}), 130},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{test.err, wrapped(test.err)} {
				if got := exitCode(err); got != test.want {
					t.Errorf("%v: exit code %d, want %d", err, got, test.want)
				}
			}
		})
	}
}

func wrapped(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("while trying: %w", err)
}

func TestWhatTheLibrarySaysBecomesTheExitCode(t *testing.T) {
	t.Parallel()
	for _, line := range []string{"tag a", "ref a", "deploy a", "clean a"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.err = &e2eimage.InconsistentError{Err: errors.New("node n2 has another image\nload it again")}
			c.fails(line, exitInconsistent)
			if got := c.errOut.String(); got != "error: node n2 has another image\nload it again\n" {
				t.Errorf("stderr %q", got)
			}
		})
	}
}

func TestMistakesInTheCommandLineAreUsageErrors(t *testing.T) {
	t.Parallel()
	tests := map[string][]string{
		"nosuch":                          {`no verb "nosuch"`, "--help"},
		"tga a":                           {`no verb "tga"`, "did you mean: kubectl e2eimage tag"},
		"help nosuch":                     {"nosuch"},
		"tag a --nosuch":                  {"kubectl e2eimage tag has no flag --nosuch", "see: kubectl e2eimage tag --help"},
		"--nosuch":                        {"kubectl e2eimage has no flag --nosuch", "see: kubectl e2eimage --help"},
		"tag a --source":                  {"--source", "--help"},
		"tag a -o xml":                    {"--output", "json", "yaml"},
		"tag a --dry-run=server":          {"--dry-run", "client"},
		"deploy a --pull-policy Always":   {"--pull-policy", "Never", "IfNotPresent"},
		"deploy a --timeout soon":         {"--timeout"},
		"tag a --tag x --new":             {"--new and --tag cannot be given together"},
		"tag a --tag x --tag-template y":  {"--tag and --tag-template cannot be given together"},
		"version now":                     {"now"},
		"options now":                     {"now"},
		"completion":                      {"bash"},
		"completion nosuch":               {"nosuch", "kubectl"},
		"completion bash zsh":             {"which shell?"},
		"tag":                             {"which image?"},
		"tag Data":                        {`"Data"`},
		"tag a b --source x":              {"--source", "exactly one NAME"},
		"tag a --tag -x --repository b:1": {"--tag", "--repository"},
		"ref a --provider lxc":            {"lxc", "docker", "podman"},
		"ref a --config none.yaml":        {"none.yaml"},
		"deploy a --workload job/x/y/z":   {"--workload"},
		"deploy a --max-restarts -5":      {"--max-restarts", "from 0 on"},
		"deploy a --timeout 0":            {"--timeout", "more than 0"},
		"deploy a --timeout -1s":          {"--timeout"},
		"tag a --timeout -1s":             {"--timeout"},
	}
	for line, says := range tests {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.fails(line, exitUsage, says...)
			if c.library.calls() > 0 {
				t.Errorf("%d calls of the library", c.library.calls())
			}
		})
	}
}

func TestASignalDecidesTheExitCode(t *testing.T) {
	t.Parallel()
	for signal, want := range map[os.Signal]int{os.Interrupt: exitInterrupted, syscall.SIGTERM: exitTerminated} {
		t.Run(signal.String(), func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			c := newConsole(t)
			c.library.during = func(context.Context) { cancel(&SignalError{signal}) }
			c.library.err = errors.New("node n1: exit status 137")
			if code := c.runArgs(ctx, "tag", "a"); code != want {
				t.Errorf("exit code %d, want %d", code, want)
			}
			if got := c.errOut.String(); !strings.Contains(got, "stopped by "+signalName(signal)) || !strings.Contains(got, "exit status 137") {
				t.Errorf("stderr %q", got)
			}
		})
	}
}

func TestTheTimeoutFlagEndsAVerb(t *testing.T) {
	t.Parallel()
	for _, verb := range []string{"tag", "clean"} {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.during = func(ctx context.Context) {
				<-ctx.Done()
				c.library.err = context.Cause(ctx)
			}
			c.fails(verb+" a --timeout 1ms", exitTimeout, "--timeout=1ms")
		})
	}
}

func TestTimeoutZeroWaitsForEver(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.during = func(ctx context.Context) {
		if _, limited := ctx.Deadline(); limited {
			t.Error("there is a deadline")
		}
	}
	c.done("tag a --timeout 0")
}

func TestCtrlCOnATerminalLeavesACleanLine(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		width  int
		line   string
		signal os.Signal
		want   string
	}{
		"behind the ^C of a verb":    {80, "tag a", os.Interrupt, "\nerror: stopped by SIGINT\n"},
		"a pipe shows no ^C":         {0, "tag a", os.Interrupt, "error: stopped by SIGINT\n"},
		"nor does SIGTERM":           {80, "tag a", syscall.SIGTERM, "error: stopped by SIGTERM\n"},
		"who looked on has no error": {80, "status --watch", os.Interrupt, "\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			c := newConsole(t)
			c.screen = screen{width: test.width}
			stopped := &SignalError{test.signal}
			c.library.during = func(context.Context) { cancel(stopped) }
			c.library.err = stopped
			code := c.runArgs(ctx, strings.Fields(test.line)...)
			if code != exitCode(stopped) || c.errOut.String() != test.want {
				t.Errorf("exit code %d, stderr %q, want %q", code, c.errOut.String(), test.want)
			}
		})
	}
}

func TestErrorsAndWarningsAreFoldedOnATerminal(t *testing.T) {
	t.Parallel()
	const said = "no record of datastorage in namespace \"tests\" for consumer \"workflowexecution\"; recorded there:\n" +
		"  gateway for consumer workflowexecution\nload, tag and deploy it at once: kubectl e2eimage up datastorage --source IMAGE -n tests"
	for width, want := range map[int]string{
		0: said,
		80: "no record of datastorage in namespace \"tests\" for consumer\n  \"workflowexecution\"; recorded there:\n" +
			"  gateway for consumer workflowexecution\nload, tag and deploy it at once: kubectl e2eimage up datastorage --source IMAGE -n tests",
	} {
		c := newConsole(t)
		c.screen.width = width
		c.library.err = errors.New(said)
		c.library.during = func(context.Context) { c.library.options.Reporter.Warn(said) }
		c.run("deploy datastorage")
		if got := c.errOut.String(); got != "warning: "+want+"\nerror: "+want+"\n" {
			t.Errorf("at %d it says %s", width, got)
		}
	}
}

func TestErrorsAreRedOnATerminalThatHasColours(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		coloured    bool
		environment map[string]string
		want        string
	}{
		"a terminal":              {true, nil, red + "error: " + ordinary + "no\n"},
		"a pipe":                  {false, nil, "error: no\n"},
		"no colours are wanted":   {true, map[string]string{"NO_COLOR": "1"}, "error: no\n"},
		"a terminal without them": {true, map[string]string{"TERM": "dumb"}, "error: no\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.screen.coloured, c.environment = test.coloured, test.environment
			c.library.err = errors.New("no")
			if c.run("status"); c.errOut.String() != test.want {
				t.Errorf("stderr %q, want %q", c.errOut.String(), test.want)
			}
		})
	}
}
