package cli

import (
	"bytes"
	"context"
	"io"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) renderCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
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
	}, verbs.Render)
	v.suite = &v.in.Suite
	var files manifestFlags
	files.add(v.cmd, " (default -)")
	bindFrom(v.cmd, &v.in.From)
	v.cmd.Flags().BoolVar(&v.in.Annotate, "annotate", false, "Also write the image IDs into pod templates")
	v.complete = func(ctx context.Context) (err error) {
		if len(files.files) == 0 && files.kustomize == "" {
			files.files = []string{"-"}
		}
		v.in.Manifests, err = a.manifests(ctx, files)
		return err
	}
	v.print = func(result *e2eimage.RenderResult) error { return a.printManifests(result.Manifests) }
	return v.cmd
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
