package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

type cleanFlags struct {
	scope     string
	keep      count
	olderThan time.Duration
	orphans   bool
	all       bool
	ignore    bool
	force     bool
	dryRun    dryRun
	output    string
	timeout   time.Duration
}

func (a *app) cleanCommand() *cobra.Command {
	flags := cleanFlags{keep: -1}
	cmd := &cobra.Command{
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
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runClean(cmd, names, flags)
		},
	}
	cmd.Flags().Var(&choice{&flags.scope, []string{
		string(e2eimage.ScopeAll), string(e2eimage.ScopeCluster),
		string(e2eimage.ScopeHost),
	}}, "scope",
		"Where: cluster, host or all (default all); host needs no cluster")
	cmd.Flags().Var(&flags.keep, "keep", "Remove only earlier images; keep the newest N of them")
	cmd.Flags().Var(&span{value: &flags.olderThan, least: 1}, "older-than",
		"Remove only what was recorded at least this long ago, for example 24h")
	cmd.Flags().BoolVar(&flags.orphans, "orphans", false,
		"Remove tags on nodes whose record is gone, once they are an hour old, or --older-than")
	cmd.Flags().BoolVar(&flags.all, "all", false,
		"Every record of the consumer in the namespace, not only those of e2eimage.yaml")
	cmd.Flags().BoolVar(&flags.ignore, "ignore-not-found", false, "It is no error if there is nothing to remove")
	cmd.Flags().BoolVar(&flags.force, "force", false, "Also remove tags in use")
	addDryRun(cmd.Flags(), &flags.dryRun, false)
	addOutput(cmd, &flags.output)
	addTimeout(cmd.Flags(), &flags.timeout)
	completeChoices(cmd, "dry-run", "scope")
	cmd.MarkFlagsMutuallyExclusive("orphans", "keep")
	cmd.MarkFlagsMutuallyExclusive("orphans", "scope")
	cmd.MarkFlagsMutuallyExclusive("orphans", "all")
	return cmd
}

func (a *app) runClean(cmd *cobra.Command, names []string, flags cleanFlags) error {
	if flags.orphans && len(names) > 0 {
		return misused(cmd, errors.New("--orphans takes no NAME: it removes tags whose records are gone, of all images"))
	}
	if flags.all && len(names) > 0 {
		return misused(cmd, errors.New("--all takes no NAME: it means every record of the consumer in the namespace"))
	}
	said := a.flags(names)
	said.AnyImages = flags.orphans || flags.all
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
	var keep *int
	if flags.keep >= 0 {
		keep = (*int)(&flags.keep)
	}
	result, err := client.Clean(ctx, e2eimage.CleanInput{
		Suite: suite, Scope: e2eimage.Scope(flags.scope), Keep: keep, OlderThan: flags.olderThan, Orphans: flags.orphans,
		All: flags.all, IgnoreNotFound: flags.ignore, Force: flags.force, DryRun: flags.dryRun != dryRunNone,
	})
	if result == nil {
		return err
	}
	// Also of a run that failed half-way: what is gone is gone.
	if flags.output != "" {
		return errors.Join(err, a.printObject(flags.output, kindClean, result))
	}
	var inUse *e2eimage.InUseError
	if !errors.As(err, &inUse) {
		// Else the error says it.
		a.warnLeft(result, flags.dryRun != dryRunNone)
	}
	return errors.Join(err, a.printCleaned(result, flags.dryRun != dryRunNone))
}

func (a *app) warnLeft(result *e2eimage.CleanResult, dry bool) {
	all := slices.Clone(result.Left)
	for _, image := range result.Images {
		all = append(all, image.Left...)
	}
	for _, line := range e2eimage.DescribeLeft(all, dry) {
		a.reporter().Warn(line + "; delete what uses it first, or give --force")
	}
}

func (a *app) printCleaned(result *e2eimage.CleanResult, dry bool) error {
	verb := "removed"
	if dry {
		verb = "would be removed"
	}
	reporter := a.reporter()
	for _, orphan := range result.Orphans {
		if err := a.println(orphan.Image + " " + verb); err != nil {
			return err
		}
	}
	for _, image := range result.Images {
		for _, tag := range image.Removed {
			if err := a.println(tag + " " + verb); err != nil {
				return err
			}
		}
		if len(image.Freed) > 0 {
			reporter.Info(fmt.Sprintf("%s: nothing uses the image any more; removed it from %s", image.Name,
				strings.Join(image.Freed, ", ")))
		}
		var lines []string
		if image.RecordRemoved {
			lines = append(lines, fmt.Sprintf("record %s/%s/%s %s", result.Namespace, result.Consumer, image.Name, verb))
		}
		for _, name := range image.Host {
			lines = append(lines, name+" "+verb)
		}
		if image.LockRemoved {
			lines = append(lines, fmt.Sprintf("lock %s/%s %s", result.Consumer, image.Name, verb))
		}
		for _, line := range lines {
			if err := a.println(line); err != nil {
				return err
			}
		}
	}
	var disk []string
	for _, freed := range result.Disk {
		disk = append(disk, progress.Bytes(freed.Bytes)+" on "+freed.Node)
	}
	if len(disk) > 0 {
		reporter.Info("disk space freed: " + strings.Join(disk, ", "))
	}
	return nil
}
