package cli

import (
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) refCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
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
	}, verbs.Ref)
	v.suite = &v.in.Suite
	v.output = "image"
	v.bindOutput("image", "env", "helm", "kustomize")
	bindFrom(v.cmd, &v.in.From)
	v.cmd.Flags().StringVar(&v.outputFile, "output-file", "", "Write to this file instead of stdout")
	v.print = func(result *e2eimage.Images) error {
		text, err := refText(v.output, result)
		if err != nil {
			return err
		}
		return a.printExact(text)
	}
	return v.cmd
}

// refText is the recorded images as the next tool reads them.
func refText(format string, result *e2eimage.Images) (string, error) {
	switch format {
	case "env":
		return refEnv(result), nil
	case "helm":
		return refHelm(result)
	case "kustomize":
		return refKustomize(result)
	}
	text := ""
	for _, image := range result.Images {
		text += image.Image + "\n"
	}
	return text, nil
}
