package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) deployCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
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
	}, verbs.Deploy)
	v.suite = &v.in.Suite
	var files manifestFlags
	files.add(v.cmd, "")
	a.bindRollout(v.cmd, &v.flags)
	bindForce(v.cmd, &v.in.ForceConflicts, &v.in.Replace, &v.in.TakeOver)
	bindConflict(v.cmd, &v.in.Use, &v.in.AllowStale)
	wait := v.cmd.Flags().Bool("wait", true,
		"Wait until workloads are ready, and prove what they run; false: change them and return")
	v.in.DryRun = e2eimage.DryRunNone
	bindDryRunWords(v.cmd, enumFlag(&v.in.DryRun, e2eimage.DryRunNone, e2eimage.DryRunClient, e2eimage.DryRunServer),
		`Must be "none", "client" or "server". client: say what would be done, change nothing; `+
			`server: let the API server check it too`)
	v.bindOutput()
	v.bindArtifacts()
	v.complete = func(ctx context.Context) (err error) {
		v.in.Manifests, err = a.manifests(ctx, files)
		v.in.OneNamespace, v.in.NoWait = a.namespaceSaid(), !*wait
		return err
	}
	// The call prints its lines when kubectl does: before the workload is ready.
	v.ownFormats = []string{formatName}
	v.print = func(*e2eimage.DeployResult) error { return nil }
	v.call = func(client verbs, ctx context.Context, in e2eimage.DeployInput) (*e2eimage.DeployResult, error) {
		var failed error
		if v.isOwnFormat() {
			in.Changed = func(workload e2eimage.DeployedWorkload) {
				failed = errors.Join(failed, a.printDeployed(workload, in.DryRun, v.output))
			}
		}
		result, err := client.Deploy(ctx, in)
		return result, errors.Join(failed, a.summedUp(v.cmd, v.flags.Names, err, doneDeploy(result)...))
	}
	// What is changed is changed.
	v.partial = anything
	return v.cmd
}

// printDeployed says what became of a workload, as kubectl says it.
func (a *app) printDeployed(workload e2eimage.DeployedWorkload, dryRun e2eimage.DryRun, format string) error {
	suffix := map[e2eimage.DryRun]string{
		e2eimage.DryRunClient: " (dry run)",
		e2eimage.DryRunServer: " (server dry run)",
	}[dryRun]
	line := workload.Name
	if format != formatName {
		line += " " + workload.Action + suffix
	}
	return a.println(line)
}
