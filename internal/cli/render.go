package cli

import (
	"bytes"
	"io"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type renderFlags struct {
	manifestFlags
	from     string
	annotate bool
}

func (a *app) renderCommand() *cobra.Command {
	var flags renderFlags
	cmd := &cobra.Command{
		Use:   "render [NAME...] [flags]",
		Short: "Put recorded images into manifests",
		Long: `Read manifests and print them with the recorded images in them. Nothing else
changes: comments, order, anchors, quotes, line ends and unknown kinds stay.

Two things are replaced: an image field that has the source, the repository or
the recorded name of one of the images, and e2eimage://NAME anywhere. If the
lock has the images, no cluster is needed. Otherwise the record in the cluster
is read. Without NAME: every image of the suite in e2eimage.yaml.`,
		Example: `  # As a filter
  helm template --no-hooks chart | kubectl e2eimage render | kubectl apply -f -
  kubectl e2eimage render -k overlay | kubectl apply -f -

  # The files of a folder
  kubectl e2eimage render -f deploy/ | kubectl apply -f -

  # So that new content under an old tag rolls out
  kubectl e2eimage render --annotate -f deployment.yaml`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runRender(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	flags.manifestFlags.add(cmd, " (default -)")
	set.Var(&choice{&flags.from, []string{string(e2eimage.UseLock), string(e2eimage.UseCluster)}}, "from",
		"Read the lock or the cluster (default: the lock if it has the image, else the cluster)")
	set.BoolVar(&flags.annotate, "annotate", false, "Also write the image IDs into pod templates")
	completeChoices(cmd, "from")
	return cmd
}

func (a *app) runRender(cmd *cobra.Command, names []string, flags renderFlags) error {
	suite, err := a.suite(a.flags(names))
	if err != nil {
		return err
	}
	if len(flags.files) == 0 && flags.kustomize == "" {
		flags.files = []string{"-"}
	}
	manifests, err := a.manifests(cmd.Context(), flags.manifestFlags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	result, err := client.Render(cmd.Context(), e2eimage.RenderInput{
		Suite: suite, From: e2eimage.Use(flags.from), Annotate: flags.annotate, Manifests: manifests,
	})
	if err != nil {
		return err
	}
	return a.printManifests(result.Manifests)
}

// printManifests puts a separator between texts that have none.
func (a *app) printManifests(manifests []e2eimage.Manifest) error {
	for i, manifest := range manifests {
		if i > 0 && !bytes.HasPrefix(manifest.Text, []byte("---")) {
			if _, err := io.WriteString(a.host.Streams.Out, "---\n"); err != nil {
				return err
			}
		}
		if i+1 < len(manifests) && len(manifest.Text) > 0 && !bytes.HasSuffix(manifest.Text, []byte("\n")) {
			manifest.Text = append(manifest.Text, '\n')
		}
		if _, err := a.host.Streams.Out.Write(manifest.Text); err != nil {
			return err
		}
	}
	return nil
}
