package cli

import (
	"context"
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type statusFlags struct {
	allNamespaces, watch bool
	output               string
	timeout              time.Duration
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
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runStatus(cmd, names, flags)
		},
	}
	addAllNamespaces(cmd, &flags.allNamespaces)
	cmd.Flags().BoolVarP(&flags.watch, "watch", "w", false, "After the table, show each change as it comes")
	addOutput(cmd, &flags.output, formatWide)
	addTimeout(cmd.Flags(), &flags.timeout)
	cmd.Flags().Lookup("timeout").Usage += ". If it is given, --watch ends after it"
	return cmd
}

func addAllNamespaces(cmd *cobra.Command, value *bool) {
	cmd.Flags().BoolVarP(value, "all-namespaces", "A", false, "Look at all namespaces, and at all that is recorded there")
}

// statusSuite is what status and verify look at. In all namespaces that is what is
// recorded there, whatever e2eimage.yaml has.
func (a *app) statusSuite(names []string, allNamespaces bool) (config.Suite, error) {
	said := a.flags(names)
	said.AnyImages = true
	suite, err := a.suite(said)
	if err != nil || !allNamespaces {
		return suite, err
	}
	suite.Consumer = a.common.Consumer
	if len(names) == 0 {
		suite.Images, suite.Others = nil, suite.Images
	}
	return suite, nil
}

func (a *app) runStatus(cmd *cobra.Command, names []string, flags statusFlags) error {
	suite, err := a.statusSuite(names, flags.allNamespaces)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	in := e2eimage.StatusInput{Suite: suite, AllNamespaces: flags.allNamespaces}
	if flags.watch {
		return a.watchStatus(cmd, client, in, flags)
	}
	result, err := statusWithin(cmd.Context(), client, in, flags.timeout)
	if err != nil {
		return err
	}
	if flags.output != "" && flags.output != formatWide {
		return a.printObject(flags.output, kindStatus, result)
	}
	if len(result.Images) == 0 {
		a.reporter().Info(nothingIn(result.Namespace))
		return nil
	}
	view := statusView{
		wide: flags.output == formatWide, allNamespaces: flags.allNamespaces,
		consumers: ofSeveral(result.Images),
	}
	if err := a.printStatus(view, result.Images); err != nil {
		return err
	}
	if !view.wide {
		for _, image := range result.Images {
			a.tell(troubles(image))
		}
	}
	if hint := a.nextAfterStatus(cmd, names, result); hint != "" {
		a.reporter().Info(hint)
	}
	return nil
}

func statusWithin(ctx context.Context, client verbs, in e2eimage.StatusInput,
	timeout time.Duration,
) (*e2eimage.StatusResult, error) {
	ctx, cancel := bounded(ctx, timeout)
	defer cancel()
	return client.Status(ctx, in)
}

// printStatus prints the table. A wide one is as wide as it is.
func (a *app) printStatus(view statusView, images []e2eimage.ImageStatus) error {
	return view.table(images).printTo(a.tableWriter(), a.screenFor(view))
}

func (a *app) screenFor(view statusView) screen {
	on := a.stdout()
	if view.wide {
		on.width = 0
	}
	return on
}

func (a *app) tell(lines []string) {
	for _, line := range lines {
		a.reporter().Info(line)
	}
}

func nothingIn(namespace string) string {
	if namespace == "" {
		return "nothing is recorded in any namespace"
	}
	return fmt.Sprintf("nothing is recorded in namespace %s", namespace)
}
