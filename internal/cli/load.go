package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) loadCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
		Use:        "load [NAME|IMAGE...] [flags]",
		SuggestFor: []string{"push"},
		Short:      "Copy images to every node, sending only missing layers",
		Long: `Copy images to every node of the Kind cluster: from docker or podman, from an
archive or from standard input. The engine need not be the one that the cluster
runs on.

A NAME is an image of e2eimage.yaml. If "build" has built it, the nodes get it
under its recorded name. Everything else is an IMAGE, which is loaded as it is,
under its own name; the source of a NAME stands for that NAME.

Each node gets only the layers that it lacks. Nothing is removed from nodes.
Without NAME: every image of the suite in e2eimage.yaml. Prints the images'
names, one per line, in the order asked.

An IMAGE, also as --source or in e2eimage.yaml, is one of these:
  localhost/x:dev          an image of docker or podman, by name
  sha256:...               the same by ID
  docker-archive:FILE      as docker save and podman save write it
  oci:FOLDER               an OCI layout
  oci-archive:FILE         an OCI layout in a tar file
  -                        an archive of any kind on standard input
Archives may be compressed with gzip or zstd. FILE:NAME is one of several
images.`,
		Example: `  # Images that were just built
  kubectl e2eimage load localhost/datastorage:dev localhost/gateway:dev

  # From an archive that an earlier job left
  kubectl e2eimage load docker-archive:datastorage.tar

  # Over a pipe
  ssh builder docker save datastorage:dev | kubectl e2eimage load -

  # What would be sent?
  kubectl e2eimage load localhost/datastorage:dev --dry-run

  # Only into one node
  kubectl e2eimage load localhost/datastorage:dev --nodes dev-worker

  # Every image of the suite in e2eimage.yaml
  kubectl e2eimage load`,
	}, verbs.Load)
	v.suite = &v.in.Suite
	v.in.Stdin = a.host.Streams.In
	v.flags.NamesOrImages = true
	v.cmd.ValidArgsFunction = a.completeLoadable
	v.cmd.Flags().StringVar(&v.flags.Source, "source", "", "Where the image comes from, see above")
	bindEngine(v.cmd, &v.flags, "Engine that has the image, docker or podman (default: the one that has it)")
	v.cmd.Flags().StringSliceVar(&v.in.Nodes, "nodes", nil, "Only these nodes; a tag needs the image on every node")
	a.offer(v.cmd, "nodes", e2eimage.KindNodes)
	v.cmd.Flags().BoolVar(&v.in.Release, "release", false, "Remove the image from the engine when every node has it")
	v.cmd.MarkFlagsMutuallyExclusive("nodes", "release")
	bindDryRun(v.cmd, &v.in.DryRun)
	v.bindOutput()
	v.bindTimeout(e2eimage.DefaultLoadTimeout)
	v.prepare = func() error {
		if len(v.flags.Names) == 0 && v.flags.Source != "" {
			v.flags.Names = []string{config.NameOf(v.flags.Source)}
		}
		piped := v.flags.Source == "-" || slices.Contains(v.flags.Names, "-")
		switch {
		case piped && isTerminal(v.in.Stdin):
			return &usageError{errors.New("--source - reads an archive from standard input, which is a " +
				"terminal\npipe one into it: docker save IMAGE | kubectl e2eimage load --source -")}
		case v.in.Nodes != nil && len(v.in.Nodes) == 0:
			// Else a variable that is not set would mean all of them.
			return &usageError{
				errors.New("--nodes is empty; name nodes, separated by commas, or leave out the flag for all nodes"),
			}
		}
		return nil
	}
	// What is loaded is loaded.
	v.partial = func(result *e2eimage.LoadResult) bool { return len(result.Images) > 0 }
	v.print = func(result *e2eimage.LoadResult) error {
		return each(result.Images, func(image e2eimage.LoadedImage) error {
			if image.Image == "" {
				// A dry run of what only reading tells, as was said.
				return nil
			}
			return a.println(image.Image)
		})
	}
	return v.cmd
}
