package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) statusCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
		Use:        "status [NAME...] [flags]",
		SuggestFor: []string{"get", "list", "ls"},
		Short:      "Show whether records, nodes, pods and this host agree",
		Long: `Compare the records with the lock, this host, all nodes, the workloads and what
their pods really run. Without NAME: the images of the suite in e2eimage.yaml,
or, without that file, all that are recorded in the namespace.

States:
  Consistent      all agree
  Stale           this host or the nodes have something newer
  RollingOut      pods are still starting
  Failed          pods do not start, or crash again and again; a Job has failed
  Drifted         a workload or a pod has another image
  MissingOnNodes  a node does not have the recorded image
  Unfinished      nothing is recorded yet, or a run was killed
  Tampered        the record was changed by hand
  Orphaned        a tag on nodes whose record is gone

READY is how many pods run exactly the recorded image, NODES how many nodes have
it. On a narrow terminal tags are shortened in the middle, and then names; in a
pipe nothing is.`,
		Example: `  # What is recorded here?
  kubectl e2eimage status

  # In all namespaces, and each change as it comes
  kubectl e2eimage status -A --watch

  # For five minutes, then end with exit code 0
  kubectl e2eimage status --watch --timeout 5m

  # With sources, image IDs and workloads
  kubectl e2eimage status -o wide

  # For scripts
  kubectl e2eimage status -o jsonpath='{.images[*].tag}'`,
	}, verbs.Status)
	v.suite = &v.in.Suite
	bindAllNamespaces(v, &v.in.AllNamespaces)
	watched := v.cmd.Flags().BoolP("watch", "w", false, "After the table, show each change as it comes")
	v.bindOutput(formatWide)
	v.bindTimeout(e2eimage.DefaultVerbTimeout)
	v.cmd.Flags().Lookup("timeout").Usage += ". If it is given, --watch ends after it"
	v.prepare = func() error {
		if *watched && !v.cmd.Flags().Changed("timeout") {
			v.timeout = 0
		}
		return nil
	}
	v.call = func(client verbs, ctx context.Context, in e2eimage.StatusInput) (*e2eimage.StatusResult, error) {
		if *watched {
			// It prints what it sees itself.
			return nil, a.watchStatus(ctx, v.cmd.Context(), client, in, v.output)
		}
		return client.Status(ctx, in)
	}
	v.print = func(result *e2eimage.StatusResult) error {
		view := statusView{
			wide: v.output == formatWide, allNamespaces: v.in.AllNamespaces, consumers: ofSeveral(result.Images),
		}
		return a.printStatus(view, result, a.nextAfterStatus(v.cmd, v.flags.Names, result))
	}
	return v.cmd
}

// bindAllNamespaces adds -A to a verb that looks at what is recorded. In all namespaces that
// is what is recorded there, whatever e2eimage.yaml has.
func bindAllNamespaces[In, Out any](v *verb[In, Out], all *bool) {
	v.cmd.Flags().BoolVarP(all, "all-namespaces", "A", false,
		"Look at all namespaces, and at all that is recorded there")
	v.flags.AnyImages = true
	v.complete = func(context.Context) error {
		if !*all {
			return nil
		}
		v.suite.Consumer = v.app.common.Consumer
		if len(v.flags.Names) == 0 {
			v.suite.Images, v.suite.Others = nil, v.suite.Images
		}
		return nil
	}
}
