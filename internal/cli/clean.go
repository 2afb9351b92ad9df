package cli

import (
	"context"
	"errors"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) cleanCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
		Use:        "clean [NAME...] [flags]",
		SuggestFor: []string{"delete", "rm", "remove"},
		Short:      "Remove the tags, the record and the lock entry of images",
		Long: `Remove what was recorded: the tags on every node, images that then have no other
name and run nowhere, and the record. On this host, remove the recorded names
that builds gave, and the lock's entries. The source's name stays, and so do
other names of the same image and images that were taken from elsewhere.

A tag in use stays, together with its record, and is listed: a container runs
it, a pod waits for it, or a workload has it in its template. The exit code is
then 3, but 0 with --keep, --older-than and --orphans, which remove only what
can go. --force also removes a tag in use.

Without NAME: every image of the suite in e2eimage.yaml. --all: every record of
the consumer in the namespace; never those of several consumers at once.

If you delete a namespace, its records go, but their tags stay on the nodes.
"clean NAME -n NAMESPACE" removes them at once. "clean NAME" removes them once
they are an hour old, and so does --orphans, for all images.`,
		Example: `  # What would go?
  kubectl e2eimage clean datastorage --dry-run

  # Remove it
  kubectl e2eimage clean datastorage

  # All that a suite recorded
  kubectl e2eimage clean --all --consumer workflowexecution

  # In a script that may run twice
  kubectl e2eimage clean datastorage --ignore-not-found

  # Remove only earlier images, and keep the newest of them
  kubectl e2eimage clean --keep 1

  # Remove tags whose records are gone, for example with their namespace
  kubectl e2eimage clean --orphans

  # After the cluster was deleted
  kubectl e2eimage clean datastorage --scope=host`,
	}, verbs.Clean)
	v.suite = &v.in.Suite
	set := v.cmd.Flags()
	bind(v.cmd, enumFlag(&v.in.Scope, e2eimage.ScopeAll, e2eimage.ScopeCluster, e2eimage.ScopeHost), "scope",
		"Where: cluster, host or all (default all); host needs no cluster")
	bind(v.cmd, optional(&v.in.Keep, countFlag), "keep", "Remove only earlier images; keep the newest N of them")
	bind(v.cmd, positiveDuration(&v.in.OlderThan), "older-than",
		"Remove only what was recorded at least this long ago, for example 24h")
	set.BoolVar(&v.in.Orphans, "orphans", false,
		"Remove tags on nodes whose record is gone, once they are an hour old, or --older-than")
	set.BoolVar(&v.in.All, "all", false,
		"Every record of the consumer in the namespace, not only those of e2eimage.yaml")
	set.BoolVar(&v.in.IgnoreNotFound, "ignore-not-found", false, "It is no error if there is nothing to remove")
	set.BoolVar(&v.in.Force, "force", false, "Also remove tags in use")
	for _, other := range []string{"keep", "scope", "all"} {
		v.cmd.MarkFlagsMutuallyExclusive("orphans", other)
	}
	bindDryRun(v.cmd, &v.in.DryRun)
	v.bindOutput()
	v.bindTimeout(e2eimage.DefaultVerbTimeout)
	v.prepare = func() error {
		v.flags.AnyImages = v.in.Orphans || v.in.All
		switch named := len(v.flags.Names) > 0; {
		case named && v.in.Orphans:
			return misused(v.cmd, errors.New("--orphans takes no NAME: it removes tags whose records are gone, of all images"))
		case named && v.in.All:
			return misused(v.cmd, errors.New("--all takes no NAME: it means every record of the consumer in the namespace"))
		}
		return nil
	}
	v.call = func(client verbs, ctx context.Context, in e2eimage.CleanInput) (*e2eimage.CleanResult, error) {
		result, err := client.Clean(ctx, in)
		if result != nil && v.isOwnFormat() && !errors.As(err, new(*e2eimage.InUseError)) {
			// Else the error says it.
			a.warnLeft(result, in.DryRun)
		}
		return result, err
	}
	// What is gone is gone, also if the rest failed.
	v.partial = anything
	v.print = func(result *e2eimage.CleanResult) error { return a.printCleaned(result, v.in.DryRun) }
	return v.cmd
}
