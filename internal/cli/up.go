package cli

import (
	"context"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) upCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
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
	}, verbs.Up)
	v.suite = &v.in.Suite
	var files manifestFlags
	bindEngine(v.cmd, &v.flags, buildEngineUsage)
	v.cmd.Flags().StringVar(&v.flags.Source, "source", "",
		"The image, if it is not built here; the same forms as for load")
	bindRecord(v.cmd, &v.flags, &v.in.CreateNamespace)
	v.cmd.Flags().BoolVar(&v.in.SkipBuild, "skip-build", false, "Build nothing; use what was built before")
	bindBuildLimits(v.cmd, &v.in.Parallel, &v.in.BuildTimeout)
	files.add(v.cmd, "")
	a.bindRollout(v.cmd, &v.flags)
	bindForce(v.cmd, &v.in.ForceConflicts, &v.in.Replace, &v.in.TakeOver)
	bindConflict(v.cmd, &v.in.Use, &v.in.AllowStale)
	bindDryRun(v.cmd, &v.in.DryRun)
	v.bindOutput()
	v.bindArtifacts()
	v.complete = func(ctx context.Context) (err error) {
		if v.in.Manifests, err = a.manifests(ctx, files); err != nil {
			return err
		}
		v.in.OneNamespace = a.namespaceSaid()
		return nil
	}
	v.call = func(client verbs, ctx context.Context, in e2eimage.UpInput) (*e2eimage.UpResult, error) {
		result, err := client.Up(ctx, in)
		return result, a.summedUp(v.cmd, v.flags.Names, err, doneUp(result)...)
	}
	// What is recorded is recorded.
	v.partial = anything
	v.print = func(result *e2eimage.UpResult) error {
		return each(result.Images, func(image e2eimage.Ref) error { return a.println(image.Image) })
	}
	return v.cmd
}
