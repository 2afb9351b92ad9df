package cli

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type loadFlags struct {
	engineFlags
	source  string
	nodes   []string
	release bool
	dryRun  dryRun
	output  string
	timeout time.Duration
}

func (a *app) loadCommand() *cobra.Command {
	var flags loadFlags
	cmd := &cobra.Command{
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
		ValidArgsFunction: a.completeLoadable,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runLoad(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	set.StringVar(&flags.source, "source", "", "Where the image comes from, see above")
	flags.add(set, "Engine that has the image, docker or podman (default: the one that has it)")
	set.StringSliceVar(&flags.nodes, "nodes", nil, "Only these nodes; a tag needs the image on every node")
	a.offer(cmd, "nodes", e2eimage.KindNodes)
	set.BoolVar(&flags.release, "release", false, "Remove the image from the engine when every node has it")
	addDryRun(set, &flags.dryRun, false)
	addOutput(cmd, &flags.output)
	addTimeout(set, &flags.timeout)
	flags.timeout = defaultLoadTimeout
	set.Lookup("timeout").DefValue = flags.timeout.String()
	completeChoices(cmd, "dry-run", "engine", "prebuilt")
	cmd.MarkFlagsMutuallyExclusive("nodes", "release")
	return cmd
}

// defaultLoadTimeout is longer than others: images may be large and disks slow. A
// node that stands still is told earlier.
const defaultLoadTimeout = 15 * time.Minute

// loadInput maps the command line to the library's input.
func (a *app) loadInput(names []string, flags loadFlags) (e2eimage.LoadInput, error) {
	if len(names) == 0 && flags.source != "" {
		names = []string{config.NameOf(flags.source)}
	}
	said := a.flags(names)
	said.NamesOrImages = true
	flags.say(&said)
	said.Source = flags.source
	if (flags.source == "-" || slices.Contains(names, "-")) && isTerminal(a.host.Streams.In) {
		return e2eimage.LoadInput{}, &usageError{errors.New("--source - reads an archive from standard input, which is a " +
			"terminal\npipe one into it: docker save IMAGE | kubectl e2eimage load --source -")}
	}
	if flags.nodes != nil && len(flags.nodes) == 0 {
		// Else a variable that is not set would mean all of them.
		return e2eimage.LoadInput{}, &usageError{
			errors.New("--nodes is empty; name nodes, separated by commas, or leave out the flag for all nodes"),
		}
	}
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.LoadInput{}, err
	}
	return e2eimage.LoadInput{
		Suite: suite, Stdin: a.host.Streams.In, Nodes: flags.nodes, Release: flags.release,
		DryRun: flags.dryRun != dryRunNone,
	}, nil
}

func (a *app) runLoad(cmd *cobra.Command, names []string, flags loadFlags) error {
	input, err := a.loadInput(names, flags)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	ctx, cancel := bounded(cmd.Context(), flags.timeout)
	defer cancel()
	result, err := client.Load(ctx, input)
	if err != nil && (result == nil || len(result.Images) == 0) {
		return err
	}
	if flags.output != "" {
		return errors.Join(a.printObject(flags.output, kindLoad, result), err)
	}
	for _, image := range result.Images {
		if image.Image == "" {
			// A dry run of what only reading tells, as was said.
			continue
		}
		if failed := a.println(image.Image); failed != nil {
			return failed
		}
	}
	return err
}
