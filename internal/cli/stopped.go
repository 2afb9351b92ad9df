package cli

import (
	"context"
	"errors"
	"strings"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// stoppedError is how a run of several steps ended before its time, and what became of what
// it had done.
type stoppedError struct {
	err     error
	summary string
}

// Error has the summary at its end: behind a report of many lines it is a paragraph.
func (e *stoppedError) Error() string {
	text := e.err.Error()
	if strings.Contains(text, "\n") {
		text += "\n"
	}
	return text + "\n" + e.summary
}

func (e *stoppedError) Unwrap() error { return e.err }

// summedUp adds to the error of a run that was interrupted, or took too long, what stays of
// it and how to go on. done are lines like "built a, b".
func (a *app) summedUp(cmd *cobra.Command, names []string, err error, done ...string) error {
	var stopped *SignalError
	if err == nil || !errors.As(context.Cause(cmd.Context()), &stopped) && exitCode(err) != exitTimeout {
		return err
	}
	var lines []string
	for _, one := range done {
		if one != "" {
			lines = append(lines, one)
		}
	}
	summary := "stays: " + strings.Join(lines, "; ")
	if len(lines) == 0 {
		summary = "nothing was changed"
	}
	var undone *e2eimage.UndoneError
	if errors.As(err, &undone) {
		summary += "\ntaken back: " + strings.Join(undone.Images, ", ")
	}
	return &stoppedError{err, summary + "\ngo on: " + a.again(cmd, names)}
}

// doneUp is what a run of up has done.
func doneUp(result *e2eimage.UpResult) []string {
	if result == nil {
		return nil
	}
	var built, loaded, tagged []string
	for _, image := range result.Built {
		if image.Changed {
			built = append(built, image.Name)
		}
	}
	for _, image := range result.Loaded {
		loaded = append(loaded, image.Name)
	}
	for _, image := range result.Tagged {
		if image.Changed {
			tagged = append(tagged, image.Image)
		}
	}
	return append([]string{step("built", built), step("loaded", loaded), step("recorded", tagged)},
		doneDeploy(result.Deployed)...)
}

// doneDeploy is what a run of deploy has done.
func doneDeploy(result *e2eimage.DeployResult) []string {
	if result == nil {
		return nil
	}
	var changed []string
	for _, workload := range result.Workloads {
		if workload.Action != "unchanged" {
			changed = append(changed, workload.Name)
		}
	}
	return []string{step("changed", changed)}
}

func step(what string, of []string) string {
	if len(of) == 0 {
		return ""
	}
	return what + " " + strings.Join(of, ", ")
}
