package cli

import (
	"bytes"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type refFlags struct {
	output     string
	from       string
	outputFile string
}

func (a *app) refCommand() *cobra.Command {
	flags := refFlags{output: "image"}
	cmd := &cobra.Command{
		Use:   "ref [NAME...] [flags]",
		Short: "Print the recorded image for scripts, Helm and Kustomize",
		Long: `Print the recorded images in the form that the next tool reads. If the lock has
the images, no cluster is needed. Otherwise the record in the cluster is read.

Formats:
  image       repository:tag, one per line
  env         variables for a shell: NAME_IMAGE, NAME_REPOSITORY, NAME_TAG and
              NAME_ID
  helm        arguments for helm; use $args without quotes
  kustomize   an images: block
and json, yaml, name and templates, as kubectl has them.`,
		Example: `  # The image; the shell stops if there is none
  image=$(kubectl e2eimage ref datastorage) && echo "$image"

  # As shell variables
  env=$(kubectl e2eimage ref datastorage -o env) && eval "$env" &&
    echo "$DATASTORAGE_TAG"

  # Into a file, for a Makefile; written whole or not at all
  kubectl e2eimage ref datastorage -o env --output-file images.env

  # As Helm arguments: helm install RELEASE CHART $args
  args=$(kubectl e2eimage ref datastorage -o helm) && echo "$args"`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runRef(cmd, names, flags)
		},
	}
	addOutput(cmd, &flags.output, "image", "env", "helm", "kustomize")
	cmd.Flags().Var(&choice{&flags.from, []string{string(e2eimage.UseLock), string(e2eimage.UseCluster)}}, "from",
		"Read the lock or the cluster (default: the lock if it has the image, else the cluster)")
	cmd.Flags().StringVar(&flags.outputFile, "output-file", "", "Write to this file instead of stdout")
	completeChoices(cmd, "from")
	return cmd
}

func (a *app) runRef(cmd *cobra.Command, names []string, flags refFlags) error {
	suite, err := a.suite(a.flags(names))
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	result, err := client.Ref(cmd.Context(), e2eimage.RefInput{Suite: suite, From: e2eimage.Use(flags.from)})
	if err != nil {
		return err
	}
	if flags.outputFile == "" {
		return a.printRef(cmd, flags.output, suite, result)
	}
	var text bytes.Buffer
	toFile := *a
	toFile.host.Streams.Out = &text
	if err := toFile.printRef(cmd, flags.output, suite, result); err != nil {
		return err
	}
	to, err := a.outputTo(flags.outputFile)
	if err != nil {
		return err
	}
	return to.write(cmd.Context(), text.Bytes())
}

func (a *app) printRef(cmd *cobra.Command, format string, suite config.Suite, result *e2eimage.RefResult) error {
	var text string
	var err error
	switch format {
	case "env":
		text = refEnv(result)
	case "helm":
		whole := quoted(append(a.about(cmd, "ref", nil), "-o", "helm"))
		text, err = refHelm(suite, result, a.templateValues(cmd.Context(), suite), whole)
	case "kustomize":
		text, err = refKustomize(suite, result)
	case "image":
		for _, image := range result.Images {
			text += image.Image + "\n"
		}
	default:
		return a.printObject(format, kindRef, result)
	}
	if err != nil {
		return err
	}
	return a.printExact(text)
}
