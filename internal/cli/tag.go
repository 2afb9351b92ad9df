package cli

import (
	"context"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type tagFlags struct {
	conflictFlags
	source, repository, tag, template string
	isNew, createNamespace            bool
	dryRun                            dryRun
	output                            string
	timeout                           time.Duration
}

func (a *app) tagCommand() *cobra.Command {
	var flags tagFlags
	cmd := &cobra.Command{
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
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runTag(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	set.StringVar(&flags.source, "source", "", "The loaded image: a reference, or an image ID sha256:...")
	set.StringVar(&flags.repository, "repository", "", "Repository of the recorded image (default localhost/NAME)")
	set.StringVar(&flags.tag, "tag", "", "Exactly this tag instead of a drawn one")
	set.StringVar(&flags.template, "tag-template", "", "Go template of the tag (default {{.Consumer}}-{{.Random}})")
	set.BoolVar(&flags.isNew, "new", false, "Draw a new tag although the content has one already")
	set.BoolVar(&flags.createNamespace, "create-namespace", false, "Create the namespace if it does not exist")
	flags.conflictFlags.add(set)
	addDryRun(set, &flags.dryRun, false)
	addOutput(cmd, &flags.output)
	addTimeout(set, &flags.timeout)
	completeChoices(cmd, "dry-run", "use")
	cmd.MarkFlagsMutuallyExclusive("tag", "tag-template")
	cmd.MarkFlagsMutuallyExclusive("tag", "new")
	return cmd
}

// tagInput maps the command line to the library's input.
func (a *app) tagInput(ctx context.Context, names []string, flags tagFlags) (e2eimage.TagInput, error) {
	said := a.flags(names)
	said.Source, said.Repository, said.Tag, said.TagTemplate = flags.source, flags.repository, flags.tag, flags.template
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.TagInput{}, err
	}
	return e2eimage.TagInput{
		Suite: suite, Values: a.templateValues(ctx, suite), New: flags.isNew, Use: e2eimage.Use(flags.use),
		AllowStale: flags.allowStale, CreateNamespace: flags.createNamespace, DryRun: flags.dryRun != dryRunNone,
	}, nil
}

func (a *app) runTag(cmd *cobra.Command, names []string, flags tagFlags) error {
	input, err := a.tagInput(cmd.Context(), names, flags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := bounded(cmd.Context(), flags.timeout)
	defer cancel()
	result, err := client.Tag(ctx, input)
	if err != nil {
		return err
	}
	if flags.output != "" {
		return a.printObject(flags.output, kindTag, result)
	}
	for _, image := range result.Images {
		if err := a.printImage(image.Image, image.Planned); err != nil {
			return err
		}
	}
	return nil
}
