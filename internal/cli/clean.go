package cli

import (
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type cleanFlags struct {
	force   bool
	dryRun  dryRun
	output  string
	timeout time.Duration
}

func (a *app) cleanCommand() *cobra.Command {
	var flags cleanFlags
	cmd := &cobra.Command{
		Use:   "clean [NAME...] [flags]",
		Short: "Take away what the record owns",
		Long: `Take away what the records own: their tags on every node, images that then
nothing names or runs, and the records themselves. The source and other
people's names of the same image are left alone.

A tag that containers run is left together with its record, and listed;
--force takes it away all the same.`,
		Example: `  # What would go?
  kubectl e2eimage clean datastorage --dry-run

  # Take it away
  kubectl e2eimage clean datastorage`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runClean(cmd, names, flags)
		},
	}
	cmd.Flags().BoolVar(&flags.force, "force", false, "Also take away tags that containers run")
	addDryRun(cmd.Flags(), &flags.dryRun, false)
	addOutput(cmd.Flags(), &flags.output, "Output format, json or yaml", "json", "yaml")
	addTimeout(cmd.Flags(), &flags.timeout)
	completeChoices(cmd, "dry-run", "output")
	return cmd
}

func (a *app) runClean(cmd *cobra.Command, names []string, flags cleanFlags) error {
	suite, err := a.suite(a.flags(names))
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := bounded(cmd.Context(), flags.timeout)
	defer cancel()
	result, err := client.Clean(ctx, e2eimage.CleanInput{Suite: suite, Force: flags.force, DryRun: flags.dryRun != dryRunNone})
	if result == nil {
		return err
	}
	// Also of a run that failed half-way: what is gone is gone.
	if flags.output != "" {
		return errors.Join(err, a.printObject(flags.output, result))
	}
	return errors.Join(err, a.printCleaned(result, flags.dryRun != dryRunNone))
}

func (a *app) printCleaned(result *e2eimage.CleanResult, dry bool) error {
	verb := "removed"
	if dry {
		verb = "would be removed"
	}
	reporter := a.reporter()
	for _, image := range result.Images {
		for _, left := range image.Left {
			reporter.Warn(fmt.Sprintf("%s is left: pod %s on %s runs it; delete that first, or give --force", left.Image, left.Pod, left.Node))
		}
		for _, tag := range image.Removed {
			if err := a.println(tag + " " + verb); err != nil {
				return err
			}
		}
		if len(image.Freed) > 0 {
			reporter.Info(fmt.Sprintf("%s: nothing names the image any more, it went from %s", image.Name, strings.Join(image.Freed, ", ")))
		}
		if !image.RecordRemoved {
			continue
		}
		if err := a.println(fmt.Sprintf("record %s/%s/%s %s", result.Namespace, result.Consumer, image.Name, verb)); err != nil {
			return err
		}
	}
	return nil
}
