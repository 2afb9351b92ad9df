package cli

import (
	"context"
	"errors"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// engineFlags say where images come from.
type engineFlags struct {
	engine, prebuilt string
}

func (f *engineFlags) add(set *pflag.FlagSet, engineUsage string) {
	set.Var(&choice{&f.engine, []string{"docker", "podman"}}, "engine", engineUsage)
	set.Var(&choice{&f.prebuilt, []string{
		string(config.PrebuiltPrefer), string(config.PrebuiltRequire),
		string(config.PrebuiltIgnore),
	}},
		"prebuilt", "Whether images from elsewhere replace builds: prefer, require or ignore (default prefer)")
}

func (f *engineFlags) say(said *config.Flags) {
	said.Engine, said.Prebuilt = f.engine, config.Prebuilt(f.prebuilt)
}

const buildEngineUsage = "Engine that builds, docker or podman (default: the Kind cluster's, or the only one)"

type buildFlags struct {
	engineFlags
	tag, template string
	isNew         bool
	parallel      count
	dryRun        dryRun
	output        string
	timeout       time.Duration
}

func (a *app) buildCommand() *cobra.Command {
	flags := buildFlags{parallel: -1}
	cmd := &cobra.Command{
		Use:   "build [NAME...] [flags] [-- ENGINE-FLAGS...]",
		Short: "Build images under a tag that is decided first",
		Long: `Decide the tag of each image, build it as e2eimage.yaml says, and write tag and
image ID to the lock: .e2eimage/CONSUMER.lock.yaml, beside e2eimage.yaml. The
verbs load, tag, deploy and ref read the lock. They take exactly what was built,
even if somebody else builds another image under the same name. No cluster is
needed.

The same content keeps its tag. The engine's output goes to stderr. Flags behind
-- go to the engine; this needs a single image. An image whose "prebuilt"
archive or image exists is taken from there, and not built. Without NAME: every
image of the suite that has a build. Prints the images, one per line, in the
order asked.`,
		Example: `  # Build what the suite needs
  kubectl e2eimage build

  # One image, with flags for the engine
  kubectl e2eimage build datastorage -- --pull

  # In a job that must not build
  kubectl e2eimage build --prebuilt=require

  # What would be run?
  kubectl e2eimage build datastorage --dry-run`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, args []string) error {
			names, more := args, []string(nil)
			if at := cmd.ArgsLenAtDash(); at >= 0 {
				names, more = args[:at], args[at:]
			}
			return a.runBuild(cmd, names, more, flags)
		},
	}
	set := cmd.Flags()
	flags.add(set, buildEngineUsage)
	set.StringVar(&flags.tag, "tag", "", "Exactly this tag instead of a drawn one")
	set.StringVar(&flags.template, "tag-template", "", "Go template of the tag (default {{.Consumer}}-{{.Random}})")
	set.BoolVar(&flags.isNew, "new", false, "Draw a new tag although the content has one already")
	addParallel(set, &flags.parallel)
	addDryRun(set, &flags.dryRun, false)
	addOutput(cmd, &flags.output)
	addBuildTimeout(set, &flags.timeout)
	completeChoices(cmd, "dry-run", "engine", "prebuilt")
	cmd.MarkFlagsMutuallyExclusive("tag", "tag-template")
	cmd.MarkFlagsMutuallyExclusive("tag", "new")
	return cmd
}

func addParallel(set *pflag.FlagSet, value *count) {
	set.Var(value, "parallel", "How many images are built at once (default 2)")
}

// defaultBuildTimeout is twice of what long builds take.
const defaultBuildTimeout = 30 * time.Minute

func addBuildTimeout(set *pflag.FlagSet, value *time.Duration) {
	*value = defaultBuildTimeout
	set.Var(&span{value: value}, "build-timeout", "Give up building after this long; 0 waits for ever")
}

// buildInput maps the command line to the library's input.
func (a *app) buildInput(ctx context.Context, names, more []string, flags buildFlags) (e2eimage.BuildInput, error) {
	said := a.flags(names)
	flags.say(&said)
	said.Tag, said.TagTemplate = flags.tag, flags.template
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.BuildInput{}, err
	}
	return e2eimage.BuildInput{
		Suite: suite, Values: a.buildValues(ctx, suite), New: flags.isNew, Flags: more, Parallel: max(0, int(flags.parallel)),
		Timeout: flags.timeout, DryRun: flags.dryRun != dryRunNone,
	}, nil
}

func (a *app) runBuild(cmd *cobra.Command, names, more []string, flags buildFlags) error {
	input, err := a.buildInput(cmd.Context(), names, more, flags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	result, err := client.Build(cmd.Context(), input)
	if err != nil && (result == nil || len(result.Images) == 0) {
		return err
	}
	// Also of a run that failed in part: what is built is built.
	if flags.output != "" {
		return errors.Join(a.printObject(flags.output, kindBuild, result), err)
	}
	for _, image := range result.Images {
		if failed := a.printImage(image.Image, image.Planned); failed != nil {
			return failed
		}
	}
	return err
}
