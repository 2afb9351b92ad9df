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
	next := result.Mend
	title := "mend it:"
	if logs := a.logsOfJob(result); len(next) == 0 && logs != "" {
		next, title = []string{logs}, "its log:"
	} else if len(next) == 0 && isRolling(result) && wait != "" {
		next, title = []string{wait}, "wait for it:"
		if hasFailed(result) {
			title = "its pod, log and events:"
		}
	}
	if len(next) == 0 {
		return nil
	}
	if err := a.println("\n" + title); err != nil {
		return err
	}
	for _, command := range next {
		if err := a.println("  " + command); err != nil {
			return err
		}
	}
	return nil
}

// nextAfterStatus says in one line what to type next, "" where all is right.
func (a *app) nextAfterStatus(cmd *cobra.Command, names []string, result *e2eimage.StatusResult) string {
	wrong := slices.ContainsFunc(result.Images, func(i e2eimage.ImageStatus) bool {
		return i.State != e2eimage.StateConsistent
	})
	switch {
	case !wrong:
		return ""
	case len(result.Mend) == 1:
		return "mend it: " + result.Mend[0]
	case len(result.Mend) == 0 && a.logsOfJob(result) != "":
		return "its log: " + a.logsOfJob(result)
	case len(result.Mend) == 0 && hasFailed(result):
		return "its pod, log and events: " + a.verifyLike(cmd, names, "--wait")
	case len(result.Mend) == 0 && isRolling(result):
		return "wait for it: " + a.verifyLike(cmd, names, "--wait")
	}
	return "what is wrong, and what mends it: " + a.verifyLike(cmd, names)
}

// isRolling tells whether a wait mends something, or says more of why not.
func isRolling(result *e2eimage.StatusResult) bool {
	return slices.ContainsFunc(result.Images, func(i e2eimage.ImageStatus) bool {
		return i.State == e2eimage.StateRolling || i.State == e2eimage.StateFailed
	})
}

func hasFailed(result *e2eimage.StatusResult) bool {
	return slices.ContainsFunc(result.Images, func(i e2eimage.ImageStatus) bool {
		return i.State == e2eimage.StateFailed
	})
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

// troubles say in a line each why the pods of an image are not ready.
func troubles(image e2eimage.ImageStatus) []string {
	var lines []string
	for _, workload := range image.Workloads {
		if workload.Reason != "" {
			lines = append(lines, fmt.Sprintf("%s: %s: %s", image.Name, image.State, describeWorkload(workload)))
		}
	}
	return lines
}
