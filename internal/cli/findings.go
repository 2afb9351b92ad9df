package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// printFindings prints a line for each thing that does not agree, and then the commands
// that mend it all, in their order.
func (a *app) printFindings(result *e2eimage.StatusResult, wait string) error {
	if len(result.Images) == 0 {
		return nil
	}
	view := statusView{allNamespaces: result.Namespace == "", consumers: ofSeveral(result.Images)}
	on := a.stdout()
	for _, image := range result.Images {
		of := image.Name
		if view.allNamespaces {
			of = image.Namespace + "/" + of
		}
		if view.consumers && image.Consumer != "" {
			of += " (" + image.Consumer + ")"
		}
		for _, problem := range image.Problems {
			if err := a.printFinding(of, string(problem.State), problem.Text, on); err != nil {
				return err
			}
		}
	}
	why, next := a.next(result, wait)
	if len(next) == 0 {
		return nil
	}
	if err := a.println("\n" + why + ":"); err != nil {
		return err
	}
	return each(next, func(command string) error { return a.println("  " + command) })
}

// nextAfterStatus says in one line what to type next, "" where all is right.
func (a *app) nextAfterStatus(cmd *cobra.Command, names []string, result *e2eimage.StatusResult) string {
	if !slices.ContainsFunc(result.Images, func(i e2eimage.ImageStatus) bool {
		return i.State != e2eimage.StateConsistent
	}) {
		return ""
	}
	if why, next := a.next(result, a.verifyLike(cmd, names, "--wait")); len(next) == 1 {
		return why + ": " + next[0]
	}
	return "what is wrong, and what mends it: " + a.verifyLike(cmd, names)
}

// next are the commands to type next, and why, if there are any. wait is the one that waits
// for rollouts, and says more of those that have failed; "" where that was just done.
func (a *app) next(result *e2eimage.StatusResult, wait string) (why string, commands []string) {
	log := a.logsOfJob(result)
	switch {
	case len(result.Mend) > 0:
		return "mend it", result.Mend
	case log != "":
		return "its log", []string{log}
	case wait != "" && anyIs(result, e2eimage.StateFailed):
		return "its pod, log and events", []string{wait}
	case wait != "" && anyIs(result, e2eimage.StateRolling):
		return "wait for it", []string{wait}
	}
	return "", nil
}

func anyIs(result *e2eimage.StatusResult, state e2eimage.State) bool {
	return slices.ContainsFunc(result.Images, func(i e2eimage.ImageStatus) bool { return i.State == state })
}

// logsOfJob is the command for the log of a Job that a CronJob has made, "" where no such has
// failed, or more than that. No rollout is waited for that could show it.
func (a *app) logsOfJob(result *e2eimage.StatusResult) string {
	command := ""
	for _, image := range result.Images {
		if image.State != e2eimage.StateFailed {
			continue
		}
		for _, workload := range image.Workloads {
			switch made := strings.HasPrefix(workload.Name, "cronjob."); {
			case made && workload.FailedJob != "":
				words := []string{"kubectl", "logs", "job/" + workload.FailedJob, "-n", cmp.Or(workload.Namespace, image.Namespace)}
				command = cmp.Or(command, quoted(append(words, a.kubectlFlags()...)))
			case workload.Reason != "":
				return ""
			}
		}
	}
	return command
}

// tellTroubles says in a line each why pods are not ready.
func (a *app) tellTroubles(images []e2eimage.ImageStatus) {
	for _, image := range images {
		for _, workload := range image.Workloads {
			if workload.Reason != "" {
				a.reporter().Info(fmt.Sprintf("%s: %s: %s", image.Name, image.State, describeWorkload(workload)))
			}
		}
	}
}
