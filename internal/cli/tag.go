package cli

import (
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) tagCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
		Use:   "tag [NAME...] [flags]",
		Short: "Give an image its tag, on every node, and record it",
		Long: `Decide the tag of each image once, add it on every node of the Kind cluster as a
second name of the image, and record it in the ConfigMap e2eimage-CONSUMER.

The same content keeps its tag: if you run it again, it prints the same image
and changes nothing. An image that was built or loaded on this host is tagged by
its ID, even if its name now belongs to another image. Without NAME: every image
of the suite in e2eimage.yaml. Prints the recorded images, one per line, in the
order asked.`,
		Example: `  # Retag an image that was loaded under a fixed reference
  kubectl e2eimage tag datastorage --source localhost/datastorage:dev

  # For one of several suites that share the cluster
  kubectl e2eimage tag datastorage --source localhost/datastorage:dev \
    --consumer workflowexecution

  # Choose how tags look, or the tag itself
  kubectl e2eimage tag datastorage --source localhost/datastorage:dev \
    --tag-template '{{.Name}}-{{.User}}-{{.Random}}'
  kubectl e2eimage tag datastorage --source localhost/datastorage:dev --tag v1

  # Every image of the suite in e2eimage.yaml
  kubectl e2eimage tag`,
	}, verbs.Tag)
	v.suite = &v.in.Suite
	v.cmd.Flags().StringVar(&v.flags.Source, "source", "", "The loaded image: a reference, or an image ID sha256:...")
	bindTag(v.cmd, &v.flags, &v.in.New)
	bindRecord(v.cmd, &v.flags, &v.in.CreateNamespace)
	bindConflict(v.cmd, &v.in.Use, &v.in.AllowStale)
	bindDryRun(v.cmd, &v.in.DryRun)
	v.bindOutput()
	v.bindTimeout(e2eimage.DefaultVerbTimeout)
	v.print = func(result *e2eimage.TagResult) error {
		return each(result.Images, func(image e2eimage.TaggedImage) error { return a.printImage(image.Image, image.Planned) })
	}
	return v.cmd
}
