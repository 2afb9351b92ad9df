package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type upFlags struct {
	engineFlags
	rolloutFlags
	source, repository string
	skipBuild          bool
	parallel           count
	createNamespace    bool
	dryRun             dryRun
	output             string
	buildTimeout       time.Duration
}

func (a *app) upCommand() *cobra.Command {
	flags := upFlags{parallel: -1}
	cmd := &cobra.Command{
		Use:   "up [NAME...] [flags]",
		Short: "Build, load, tag and deploy; skip what is done already",
		Long: `Build, load, tag and deploy all images of the suite in e2eimage.yaml, or those
given as NAME. With --source: load, tag and deploy one that you have built
yourself.

What is done already is skipped: an image whose files have not changed is not
built (one with a build command of its own always is), a recorded image is not
loaded or tagged again, a workload that is right is not touched. Images are
loaded while others are still being built. If there is no cluster, the images
are built, and a message says what is missing. Prints the recorded images, one
per line, in the order asked.`,
		Example: `  # After each change of the code
  kubectl e2eimage up

  # One image of the suite
  kubectl e2eimage up datastorage

  # With manifests that say e2eimage://datastorage instead of an image
  kubectl e2eimage up -f deploy/

  # Without e2eimage.yaml, an image that you have built
  kubectl e2eimage up datastorage --source localhost/datastorage:dev

  # Without building
  kubectl e2eimage up --skip-build

  # What would it do?
  kubectl e2eimage up --dry-run`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runUp(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	flags.engineFlags.add(set, buildEngineUsage)
	set.StringVar(&flags.source, "source", "", "The image, if it is not built here; the same forms as for load")
	set.StringVar(&flags.repository, "repository", "", "Repository of the recorded image (default localhost/NAME)")
	set.BoolVar(&flags.skipBuild, "skip-build", false, "Build nothing; use what was built before")
	addParallel(set, &flags.parallel)
	flags.rolloutFlags.add(cmd)
	a.offer(cmd, "workload", e2eimage.KindWorkloads)
	set.BoolVar(&flags.createNamespace, "create-namespace", false, "Create the namespace if it does not exist")
	addDryRun(set, &flags.dryRun, false)
	addOutput(cmd, &flags.output)
	addBuildTimeout(set, &flags.buildTimeout)
	completeChoices(cmd, "dry-run", "engine", "prebuilt", "pull-policy", "use")
	return cmd
}

// upInput maps the command line to the library's input.
func (a *app) upInput(ctx context.Context, names []string, flags upFlags) (e2eimage.UpInput, error) {
	said := a.flags(names)
	said.Source, said.Repository = flags.source, flags.repository
	flags.engineFlags.say(&said)
	flags.rolloutFlags.say(&said)
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.UpInput{}, err
	}
	manifests, err := a.manifests(ctx, flags.manifestFlags)
	if err != nil {
		return e2eimage.UpInput{}, err
	}
	return e2eimage.UpInput{
		Suite: suite, Manifests: manifests, OneNamespace: a.namespaceSaid(), ForceConflicts: flags.forceConflicts,
		Values: a.buildValues(ctx, suite), SkipBuild: flags.skipBuild, Parallel: max(0, int(flags.parallel)),
		BuildTimeout: flags.buildTimeout, Use: e2eimage.Use(flags.use), AllowStale: flags.allowStale,
		TakeOver: flags.takeOver, Replace: flags.replace, CreateNamespace: flags.createNamespace,
		DryRun: flags.dryRun != dryRunNone,
	}, nil
}

func (a *app) runUp(cmd *cobra.Command, names []string, flags upFlags) error {
	input, err := a.upInput(cmd.Context(), names, flags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	result, err := client.Up(cmd.Context(), input)
	err = a.summedUp(cmd, names, err, doneUp(result)...)
	if result == nil {
		return err
	}
	if flags.output != "" {
		return errors.Join(a.printObject(flags.output, kindUp, result), err)
	}
	for _, image := range result.Images {
		if failed := a.println(image.Image); failed != nil {
			return failed
		}
	}
	return err
}
