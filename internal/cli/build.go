package cli

import (
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) buildCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
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
	}, verbs.Build)
	v.suite = &v.in.Suite
	bindEngine(v.cmd, &v.flags, buildEngineUsage)
	bindTag(v.cmd, &v.flags, &v.in.New)
	bindBuildLimits(v.cmd, &v.in.Parallel, &v.in.Timeout)
	bindDryRun(v.cmd, &v.in.DryRun)
	v.bindOutput()
	v.prepare = func() error {
		if at := v.cmd.ArgsLenAtDash(); at >= 0 {
			v.flags.Names, v.in.Flags = v.flags.Names[:at], v.flags.Names[at:]
		}
		return nil
	}
	// What is built is built.
	v.partial = func(result *e2eimage.BuildResult) bool { return len(result.Images) > 0 }
	v.print = func(result *e2eimage.BuildResult) error {
		return each(result.Images, func(image e2eimage.BuiltImage) error { return a.printImage(image.Image, image.Planned) })
	}
	return v.cmd
}

const buildEngineUsage = "Engine that builds, docker or podman (default: the Kind cluster's, or the only one)"
