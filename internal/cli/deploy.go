package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type deployFlags struct {
	rolloutFlags
	wait   bool
	dryRun dryRun
	output string
}

func (a *app) deployCommand() *cobra.Command {
	var flags deployFlags
	cmd := &cobra.Command{
		Use:        "deploy [NAME...] [flags]",
		SuggestFor: []string{"apply"},
		Short:      "Make workloads run the recorded image, and prove it",
		Long: `Make workloads run exactly the recorded image. A workload that has it already is
not touched, any other is patched. With -f or -k, manifests are applied instead,
with the recorded images in them, as "render" writes them. A node that has lost
the image gets it back first.

Then wait until the workloads are ready, or Jobs complete, and compare the image
ID of each running container with the record. If success is impossible, fail at
once and name pod, container, node and cause. Without NAME: every image of the
suite in e2eimage.yaml.`,
		Example: `  # deployment/datastorage from the record
  kubectl e2eimage deploy datastorage

  # A workload with another name
  kubectl e2eimage deploy datastorage \
    --workload statefulset/storage --container server

  # Apply manifests with the recorded image in them
  kubectl e2eimage deploy datastorage -f deploy/
  kubectl e2eimage deploy datastorage -k overlays/e2e
  helm template chart | kubectl e2eimage deploy -f -

  # Change it and return; verify --wait proves it later
  kubectl e2eimage deploy datastorage --wait=false

  # What would be patched?
  kubectl e2eimage deploy datastorage --dry-run`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runDeploy(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	flags.rolloutFlags.add(cmd)
	a.offer(cmd, "workload", e2eimage.KindWorkloads)
	set.BoolVar(&flags.wait, "wait", true,
		"Wait until workloads are ready, and prove what they run; false: change them and return")
	addDryRun(set, &flags.dryRun, true)
	addOutput(cmd, &flags.output)
	completeChoices(cmd, "dry-run", "pull-policy", "use")
	return cmd
}

// deployInput maps the command line to the library's input.
func (a *app) deployInput(ctx context.Context, names []string, flags deployFlags) (e2eimage.DeployInput, error) {
	said := a.flags(names)
	flags.say(&said)
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.DeployInput{}, err
	}
	manifests, err := a.manifests(ctx, flags.manifestFlags)
	if err != nil {
		return e2eimage.DeployInput{}, err
	}
	return e2eimage.DeployInput{
		Suite: suite, Manifests: manifests, OneNamespace: a.namespaceSaid(), ForceConflicts: flags.forceConflicts,
		TakeOver: flags.takeOver, Replace: flags.replace,
		Use: e2eimage.Use(flags.use), AllowStale: flags.allowStale, DryRun: e2eimage.DryRun(flags.dryRun),
		NoWait: !flags.wait,
	}, nil
}

func (a *app) runDeploy(cmd *cobra.Command, names []string, flags deployFlags) error {
	input, err := a.deployInput(cmd.Context(), names, flags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	if flags.output != "" && flags.output != formatName {
		// What a run did that failed afterwards is printed, too.
		result, err := client.Deploy(cmd.Context(), input)
		err = a.summedUp(cmd, names, err, doneDeploy(result)...)
		if result == nil {
			return err
		}
		return errors.Join(a.printObject(flags.output, kindDeploy, result), err)
	}
	// As kubectl says it, and when it does: before the workload is ready.
	suffix := map[e2eimage.DryRun]string{
		e2eimage.DryRunClient: " (dry run)",
		e2eimage.DryRunServer: " (server dry run)",
	}[input.DryRun]
	var failed error
	input.Changed = func(workload e2eimage.DeployedWorkload) {
		line := workload.Name
		if flags.output != formatName {
			line += " " + workload.Action + suffix
		}
		failed = errors.Join(failed, a.println(line))
	}
	result, err := client.Deploy(cmd.Context(), input)
	return errors.Join(failed, a.summedUp(cmd, names, err, doneDeploy(result)...))
}
