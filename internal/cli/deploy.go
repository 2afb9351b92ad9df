package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type deployFlags struct {
	conflictFlags
	workloads, containers []string
	pullPolicy            string
	timeout               time.Duration // 0 for nobody said
	maxRestarts           int           // -1 for nobody said
	takeOver, replace     bool
	dryRun                dryRun
	output                string
}

func (a *app) deployCommand() *cobra.Command {
	var flags deployFlags
	cmd := &cobra.Command{
		Use:   "deploy [NAME...] [flags]",
		Short: "Make workloads run exactly the recorded image, and prove it",
		Long: `Make existing workloads run exactly the recorded image: nodes that lost it are
healed, workloads that are right already are not touched, the others are patched;
then wait until they are ready, Jobs until they are complete, and compare what
every container really runs with the recorded image ID.

Fails as soon as success is impossible, with pod, container, node and the first
cause. Without NAME: every image of the suite in e2eimage.yaml.`,
		Example: `  # deployment/datastorage from the record
  kubectl e2eimage deploy datastorage

  # A workload that is called otherwise
  kubectl e2eimage deploy datastorage \
    --workload statefulset/storage --container server

  # What would be patched?
  kubectl e2eimage deploy datastorage --dry-run`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runDeploy(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	set.StringSliceVar(&flags.workloads, "workload", nil, "KIND/NAME or NAMESPACE/KIND/NAME to deploy to (default deployment/NAME)")
	set.StringSliceVar(&flags.containers, "container", nil, "Container to set (default: those that run the image already, else the only one)")
	set.Var(&choice{&flags.pullPolicy, []string{"Never", "IfNotPresent"}}, "pull-policy", "Pull policy to set, Never or IfNotPresent (default: kept, but Always becomes Never)")
	set.Var(&span{value: &flags.timeout, least: 1}, "timeout", "Wait this long for each rollout (default 120s)")
	flags.maxRestarts = -1
	set.Var((*count)(&flags.maxRestarts), "max-restarts", "Give up a crash loop after so many restarts, 0 never (default 3)")
	set.BoolVar(&flags.takeOver, "take-over", false, "Also patch workloads that another consumer deployed")
	addReplace(set, &flags.replace)
	flags.conflictFlags.add(set)
	addDryRun(set, &flags.dryRun, true)
	addOutput(set, &flags.output, "Output format: name, json or yaml", "name", "json", "yaml")
	completeChoices(cmd, "dry-run", "output", "pull-policy", "use")
	return cmd
}

// deployInput maps the command line to the library's input.
func (a *app) deployInput(names []string, flags deployFlags) (e2eimage.DeployInput, error) {
	said := a.flags(names)
	said.Workloads, said.Containers, said.PullPolicy = flags.workloads, flags.containers, flags.pullPolicy
	if flags.timeout > 0 {
		said.Timeout = &flags.timeout
	}
	if flags.maxRestarts >= 0 {
		said.MaxRestarts = &flags.maxRestarts
	}
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.DeployInput{}, err
	}
	return e2eimage.DeployInput{Suite: suite, TakeOver: flags.takeOver, Replace: flags.replace, Use: e2eimage.Use(flags.use), AllowStale: flags.allowStale, DryRun: e2eimage.DryRun(flags.dryRun)}, nil
}

func addReplace(set *pflag.FlagSet, value *bool) {
	set.BoolVar(value, "replace", false, "Delete and make anew Jobs and Pods that cannot be changed")
}

func (a *app) runDeploy(cmd *cobra.Command, names []string, flags deployFlags) error {
	input, err := a.deployInput(names, flags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	result, err := client.Deploy(cmd.Context(), input)
	if err != nil {
		return err
	}
	switch flags.output {
	case "json", "yaml":
		return a.printObject(flags.output, result)
	}
	suffix := ""
	if input.DryRun != e2eimage.DryRunNone {
		suffix = fmt.Sprintf(" (%s dry run)", input.DryRun)
	}
	for _, workload := range result.Workloads {
		line := workload.Name
		if flags.output != "name" {
			line += " " + workload.Action + suffix
		}
		if err := a.println(line); err != nil {
			return err
		}
	}
	return nil
}
