package cli

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type loadFlags struct {
	engineFlags
	source  string
	release bool
	dryRun  dryRun
	output  string
	timeout time.Duration
}

func (a *app) loadCommand() *cobra.Command {
	var flags loadFlags
	cmd := &cobra.Command{
		Use:   "load [NAME...] [flags]",
		Short: "Put images on every node, sending only missing layers",
		Long: `Put images on every node of the Kind cluster, under the name that they have
where they come from: from docker or podman, from an archive or from standard
input. The engine need not be the one that the cluster runs on.

Where the lock says what was built, that is loaded, under its recorded name.

Only layers that a node lacks are read and sent, once for all nodes; nothing is
sent where the image is there already. Nothing is removed from nodes. Without
NAME: every image of the suite in e2eimage.yaml. Prints the images' names, one a
line, in the order asked.

Sources, as --source or in e2eimage.yaml:
  localhost/x:dev          an image of docker or podman, by name
  sha256:...               the same by ID
  docker-archive:FILE      as docker save and podman save write it
  oci:FOLDER               an OCI layout
  oci-archive:FILE         an OCI layout in a tar file
  -                        an archive of any kind on standard input
Archives may be compressed with gzip or zstd. FILE:NAME is one of several
images.`,
		Example: `  # An image that was just built
  kubectl e2eimage load --source localhost/datastorage:dev

  # From an archive that an earlier job left
  kubectl e2eimage load --source docker-archive:datastorage.tar

  # Over a pipe
  ssh builder docker save datastorage:dev | kubectl e2eimage load --source -

  # What would be sent?
  kubectl e2eimage load --source localhost/datastorage:dev --dry-run

  # Every image of the suite in e2eimage.yaml
  kubectl e2eimage load`,
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runLoad(cmd, names, flags)
		},
	}
	set := cmd.Flags()
	set.StringVar(&flags.source, "source", "", "Where the image comes from, see above")
	flags.add(set, "Engine that has the image, docker or podman (default: the one that has it)")
	set.BoolVar(&flags.release, "release", false, "Take the image out of the engine when every node has it")
	addDryRun(set, &flags.dryRun, false)
	addOutput(set, &flags.output, "Output format, json or yaml", "json", "yaml")
	addTimeout(set, &flags.timeout)
	flags.timeout = defaultLoadTimeout
	set.Lookup("timeout").DefValue = flags.timeout.String()
	completeChoices(cmd, "dry-run", "output", "engine", "prebuilt")
	return cmd
}

// defaultLoadTimeout is longer than others: images may be large and disks slow. A
// node that stands still is told earlier.
const defaultLoadTimeout = 15 * time.Minute

// loadInput maps the command line to the library's input.
func (a *app) loadInput(names []string, flags loadFlags) (e2eimage.LoadInput, error) {
	if len(names) == 0 && flags.source != "" {
		names = []string{nameOf(flags.source)}
	}
	if err := asSources(names); err != nil && flags.source == "" {
		return e2eimage.LoadInput{}, err
	}
	said := a.flags(names)
	flags.say(&said)
	said.Source = flags.source
	suite, err := a.suite(said)
	if err != nil {
		return e2eimage.LoadInput{}, err
	}
	return e2eimage.LoadInput{
		Suite: suite, Stdin: a.host.Streams.In, Release: flags.release, DryRun: flags.dryRun != dryRunNone,
	}, nil
}

// asSources says what to type for images and archives that are given as they are to
// `kind load`: NAMEs are those of e2eimage.yaml.
func asSources(names []string) error {
	var commands []string
	for _, name := range names {
		source := name
		switch {
		case archive.MatchString(name):
			source = "docker-archive:" + name
		case !strings.ContainsAny(name, "/:@"):
			continue
		}
		commands = append(commands, "\n  kubectl e2eimage load --source "+shellescape.Quote(source))
	}
	if len(commands) == 0 {
		return nil
	}
	return &usageError{fmt.Errorf("a NAME is an image of e2eimage.yaml; what comes from an engine or an archive is a source:%s", strings.Join(commands, ""))}
}

var archive = regexp.MustCompile(`\.(tar|tgz|tar\.[a-z0-9]+)$`)

var notLabel = regexp.MustCompile(`[^a-z0-9-]+`)

// nameOf makes a name of a source for which the user gave none: it only stands in
// messages.
func nameOf(source string) string {
	last := source[strings.LastIndex(source, "/")+1:]
	last, _, _ = strings.Cut(last, "@")
	if before, _, tagged := strings.Cut(last, ":"); tagged && strings.Contains(source, "/") {
		last = before
	}
	name := strings.Trim(notLabel.ReplaceAllString(strings.ToLower(last), "-"), "-")
	name = strings.Trim(name[:min(len(name), 63)], "-")
	if name == "" {
		return "image"
	}
	return name
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
		return errors.Join(a.printObject(flags.output, result), err)
	}
	for _, image := range result.Images {
		name := image.Image
		if name == "" {
			// A dry run of what only reading tells.
			name = image.Source
		}
		if failed := a.println(name); failed != nil {
			return failed
		}
	}
	return err
}
