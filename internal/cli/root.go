package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// Host is what the command knows of the process it runs in.
type Host struct {
	Streams genericiooptions.IOStreams
	// Environment looks up a variable, as os.LookupEnv does.
	Environment config.Environment
	// Dir is the working folder.
	Dir string
}

// verbs is the library as the commands see it.
type verbs interface {
	Build(context.Context, e2eimage.BuildInput) (*e2eimage.BuildResult, error)
	Up(context.Context, e2eimage.UpInput) (*e2eimage.UpResult, error)
	Tag(context.Context, e2eimage.TagInput) (*e2eimage.TagResult, error)
	Load(context.Context, e2eimage.LoadInput) (*e2eimage.LoadResult, error)
	Ref(context.Context, e2eimage.RefInput) (*e2eimage.Images, error)
	Render(context.Context, e2eimage.RenderInput) (*e2eimage.RenderResult, error)
	Deploy(context.Context, e2eimage.DeployInput) (*e2eimage.DeployResult, error)
	Status(context.Context, e2eimage.StatusInput) (*e2eimage.StatusResult, error)
	WatchStatus(context.Context, e2eimage.StatusInput, func(*e2eimage.StatusResult) error) error
	Verify(context.Context, e2eimage.VerifyInput) (*e2eimage.StatusResult, error)
	Clean(context.Context, e2eimage.CleanInput) (*e2eimage.CleanResult, error)
	Diagnose(context.Context, e2eimage.DiagnoseInput) (*e2eimage.DiagnoseResult, error)
	Known(context.Context, e2eimage.KnownInput) (*e2eimage.KnownResult, error)
}

var _ verbs = (*e2eimage.Client)(nil)

// app is what all commands share.
type app struct {
	host   Host
	kube   *genericclioptions.ConfigFlags
	common commonFlags
	// connect makes the library's client; tests put their own in.
	connect func(e2eimage.Options) (verbs, error)
	// screen says what stdout is; tests put their own in.
	screen func(io.Writer) screen
	// reports is the command's reporter, made when it is needed first.
	reports progress.Reporter
	// watching is set while the user looks on, and ends that.
	watching bool
}

// Run carries out one command line and returns its exit code.
func Run(ctx context.Context, host Host, args []string) int {
	return run(ctx, newApp(host), args)
}

// Command is the tree of all commands, for what reads it and runs none: the reference and
// the tests of the documentation.
func Command(host Host) *cobra.Command { return newApp(host).root() }

func newApp(host Host) *app {
	return &app{
		host: host,
		kube: genericclioptions.NewConfigFlags(true).WithWrapConfigFn(identified),
		connect: func(options e2eimage.Options) (verbs, error) {
			return e2eimage.New(options)
		},
		screen: screenOf,
	}
}

func run(ctx context.Context, a *app, args []string) int {
	root := a.root()
	root.SetArgs(args)
	root.SetIn(a.host.Streams.In)
	root.SetOut(a.host.Streams.Out)
	root.SetErr(a.host.Streams.ErrOut)
	cmd, err := root.ExecuteContextC(ctx)
	a.quieten()
	if err = explained(cmd, err); err != nil {
		var stopped *SignalError
		if cause := context.Cause(ctx); errors.As(cause, &stopped) && !errors.As(err, &stopped) {
			err = errors.Join(cause, err)
		}
		if a.stderr().width > 0 && exitCode(err) == exitInterrupted {
			// The terminal has shown ^C, and stands behind it.
			_, _ = fmt.Fprintln(a.host.Streams.ErrOut)
		}
		if a.watching && errors.As(err, &stopped) {
			// Nothing else ends it: that is no error.
			return exitCode(err)
		}
		const word = "error: "
		shown := word
		if a.stderr().coloured {
			shown = red + word + ordinary
		}
		_, _ = fmt.Fprintln(a.host.Streams.ErrOut, shown+a.folded(strings.TrimSpace(err.Error()), word))
	}
	return exitCode(err)
}

func (a *app) root() *cobra.Command {
	root := &cobra.Command{
		Use:   "kubectl-e2eimage",
		Short: "Load, tag and deploy E2E images on Kind, and prove what runs",
		Long: `Loads your local images into a Kind cluster, gives each build its own tag, and
checks that your pods run exactly that build, by image ID.`,
		Example: `  # Build, load, tag and deploy what e2eimage.yaml says
  kubectl e2eimage up

  # Copy an image to every node
  kubectl e2eimage load --source localhost/datastorage:dev

  # Give a loaded image its tag, on every node, and record it
  kubectl e2eimage tag datastorage --source localhost/datastorage:dev

  # Make deployment/datastorage run exactly the recorded image
  kubectl e2eimage deploy datastorage

  # Use it in a script
  image=$(kubectl e2eimage ref datastorage) && echo "$image"

  # Remove its tags and its record
  kubectl e2eimage clean datastorage`,
		Annotations:       map[string]string{cobra.CommandDisplayNameAnnotation: "kubectl e2eimage"},
		SilenceErrors:     true,
		SilenceUsage:      true,
		Args:              unknownCommand,
		RunE:              func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
		PersistentPreRunE: func(cmd *cobra.Command, _ []string) error { return excluding(cmd) },
	}
	root.CompletionOptions.DisableDefaultCmd = true
	root.SetFlagErrorFunc(flagMistake)
	a.kube.AddFlags(root.PersistentFlags())
	a.offer(root, "namespace", e2eimage.KindNamespaces)
	// Help reads the same for every user.
	root.PersistentFlags().Lookup("cache-dir").DefValue = "$HOME/.kube/cache"
	a.common.add(root.PersistentFlags())
	a.offer(root, "consumer", e2eimage.KindConsumers)
	addVerbosity(root.PersistentFlags())
	root.AddCommand(a.buildCommand(), a.loadCommand(), a.tagCommand(), a.deployCommand(), a.upCommand(), a.refCommand(),
		a.renderCommand(), a.statusCommand(), a.verifyCommand(), a.cleanCommand(),
		a.versionCommand(), a.completionCommand(), optionsCommand())
	useKubectlStyle(root)
	return root
}

// addVerbosity adds kubectl's -v, which shows the requests to the API.
func addVerbosity(flags *pflag.FlagSet) {
	logging := flag.NewFlagSet("klog", flag.ContinueOnError)
	klog.InitFlags(logging)
	verbosity := pflag.PFlagFromGoFlag(logging.Lookup("v"))
	verbosity.Usage = "number for the log level verbosity"
	flags.AddFlag(verbosity)
}
