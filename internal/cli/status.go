package cli

import (
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/util/duration"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type statusFlags struct {
	output  string
	timeout time.Duration
}

func (a *app) statusCommand() *cobra.Command {
	var flags statusFlags
	cmd := &cobra.Command{
		Use:        "status [NAME...] [flags]",
		SuggestFor: []string{"get", "list", "ls"},
		Short:      "Show whether records, nodes, pods and this host agree",
		Long: `Compare the records with the lock, this host, all nodes, the workloads and what
their pods really run. Without NAME: the images of the suite in e2eimage.yaml,
or, without that file, all that are recorded in the namespace.

States:
  Consistent      all agree
  Stale           this host or the nodes have something newer
  RolledOut 1/3   pods are still starting
  Drifted         a workload or a pod has another image
  MissingOnNodes  a node does not have the recorded image
  Unfinished      nothing is recorded yet, or a run was killed
  Tampered        the record was changed by hand
  Orphaned        a tag on nodes whose record is gone`,
		Example: `  # What is recorded here?
  kubectl e2eimage status

  # With what is wrong and what mends it
  kubectl e2eimage status -o wide`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runStatus(cmd, names, flags)
		},
	}
	addOutput(cmd.Flags(), &flags.output, "Output format: json, yaml or wide", "json", "yaml", "wide")
	addTimeout(cmd.Flags(), &flags.timeout)
	completeChoices(cmd, "output")
	return cmd
}

func (a *app) runStatus(cmd *cobra.Command, names []string, flags statusFlags) error {
	said := a.flags(names)
	said.AnyImages = true
	suite, err := a.suite(said)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := bounded(cmd.Context(), flags.timeout)
	defer cancel()
	result, err := client.Status(ctx, e2eimage.StatusInput{Suite: suite})
	if err != nil {
		return err
	}
	switch flags.output {
	case "json", "yaml":
		return a.printObject(flags.output, result)
	}
	return a.printStatus(result, flags.output == "wide")
}

func (a *app) printStatus(result *e2eimage.StatusResult, wide bool) error {
	if len(result.Images) == 0 {
		a.reporter().Info(fmt.Sprintf("nothing is recorded in namespace %s", result.Namespace))
		return nil
	}
	table := printers.GetNewTabWriter(a.host.Streams.Out)
	columns := []string{"NAME", "CONSUMER", "IMAGE", "IMAGE ID", "NODES", "WORKLOADS", "AGE", "STATE"}
	if wide {
		columns = append(columns, "SOURCE", "BY")
	}
	if err := printRow(table, columns...); err != nil {
		return err
	}
	for _, image := range result.Images {
		row := []string{
			image.Name, orNone(image.Consumer), orNone(image.Image), shortID(image.ImageID),
			fmt.Sprintf("%d/%d", len(image.NodesWith), len(image.NodesWith)+len(image.NodesWithout)), firstWorkload(image), age(image), stateOf(image),
		}
		if wide {
			row = append(row, orNone(image.Source), orNone(image.By))
		}
		if err := printRow(table, row...); err != nil {
			return err
		}
		// More workloads have rows of their own: one list of them would be too wide.
		for _, more := range image.Workloads[min(1, len(image.Workloads)):] {
			if err := printRow(table, "", "", "", "", "", describeWorkload(more)); err != nil {
				return err
			}
		}
	}
	if err := table.Flush(); err != nil {
		return err
	}
	if wide {
		return a.printProblems(result)
	}
	return nil
}

// printProblems says what is wrong with each image, and what mends it.
func (a *app) printProblems(result *e2eimage.StatusResult) error {
	for _, image := range result.Images {
		for _, problem := range image.Explain() {
			if err := a.println(problem); err != nil {
				return err
			}
		}
	}
	return nil
}

func orNone(text string) string {
	if text == "" {
		return "<none>"
	}
	return text
}

func shortID(id string) string {
	_, hex, _ := strings.Cut(id, ":")
	return orNone(hex[:min(len(hex), 12)])
}

// stateOf is the state, with how far a rollout is.
func stateOf(image e2eimage.ImageStatus) string {
	if image.State == e2eimage.StateRolling {
		return fmt.Sprintf("%s %d/%d", image.State, image.Running, image.Wanted)
	}
	return string(image.State)
}

// firstWorkload is what stands beside the image.
func firstWorkload(image e2eimage.ImageStatus) string {
	if len(image.Workloads) == 0 {
		return orNone("")
	}
	return describeWorkload(image.Workloads[0])
}

// describeWorkload is a workload with its pods, or how a Job stands.
func describeWorkload(workload e2eimage.WorkloadStatus) string {
	kind, name, _ := strings.Cut(workload.Name, "/")
	kind, _, _ = strings.Cut(kind, ".")
	if workload.Namespace != "" {
		kind = workload.Namespace + "/" + kind
	}
	if workload.Phase != "" {
		return fmt.Sprintf("%s/%s %s", kind, name, workload.Phase)
	}
	return fmt.Sprintf("%s/%s %d/%d", kind, name, workload.Running, workload.Wanted)
}

func age(image e2eimage.ImageStatus) string {
	if image.Recorded == nil {
		return "<none>"
	}
	return duration.HumanDuration(time.Since(image.Recorded.Time))
}
