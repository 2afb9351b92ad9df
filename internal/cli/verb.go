package cli

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// verb is a command that calls one method of the library. Cobra writes what the command
// line says into the fields of flags and of the input.
type verb[In, Out any] struct {
	app *app
	cmd *cobra.Command
	// flags say which suite it is about, which is put where suite points: into the input.
	flags config.Flags
	in    In
	suite *config.Suite
	// prepare refuses or completes what the command line says, before the suite is resolved.
	prepare func() error
	// complete adds to the input what follows from the suite, or is read from files.
	complete func(context.Context) error
	// call is the method of the library, or a function around it.
	call func(verbs, context.Context, In) (*Out, error)
	// explains is set where what explains a failure can be left in a folder.
	explains bool
	// timeout bounds the call; 0 does not.
	timeout time.Duration
	// partial tells whether a result is printed that came with an error.
	partial func(*Out) bool
	// print prints a result for people, and in the verb's own formats.
	print func(*Out) error
	// output is the format that was asked for, ownFormats those that only this verb has.
	output     string
	ownFormats []string
	// outputFile is written instead of stdout, unless it is "".
	outputFile string
}

// newVerb makes a verb that prints nothing of a result that came with an error.
func newVerb[In, Out any](a *app, cmd *cobra.Command, call func(verbs, context.Context, In) (*Out, error),
) *verb[In, Out] {
	v := &verb[In, Out]{
		app: a, cmd: cmd, call: call,
		prepare:  func() error { return nil },
		complete: func(context.Context) error { return nil },
		partial:  func(*Out) bool { return false },
	}
	cmd.ValidArgsFunction = a.completeNames
	cmd.RunE = func(_ *cobra.Command, args []string) error {
		v.flags.Names = args
		return v.run(cmd.Context())
	}
	return v
}

// run is the life of every verb.
func (v *verb[In, Out]) run(ctx context.Context) error {
	if err := v.prepare(); err != nil {
		return err
	}
	suite, err := v.app.suite(v.app.withCommon(v.flags))
	if err != nil {
		return err
	}
	*v.suite = suite
	if err := v.complete(ctx); err != nil {
		return err
	}
	client, err := v.app.client()
	if err != nil {
		return err
	}
	within, cancel := bounded(ctx, v.timeout)
	defer cancel()
	result, err := v.call(client, within, v.in)
	if v.explains {
		defer v.app.explain(ctx, client, suite, err)
	}
	if result == nil || err != nil && !v.partial(result) {
		return err
	}
	return errors.Join(err, v.app.printTo(ctx, v.outputFile, func() error { return v.show(result) }))
}

// show prints a result in the format that was asked for.
func (v *verb[In, Out]) show(result *Out) error {
	if v.isOwnFormat() {
		return v.print(result)
	}
	return v.app.printObject(v.output, kindOf(result), result)
}

// isOwnFormat tells whether print has the format.
func (v *verb[In, Out]) isOwnFormat() bool {
	return v.output == "" || slices.Contains(v.ownFormats, v.output)
}

// anything prints a result, however little of it there is.
func anything[Out any](*Out) bool { return true }

// bindOutput adds -o for the formats that all verbs have, behind those of this one.
func (v *verb[In, Out]) bindOutput(own ...string) {
	v.ownFormats = own
	bindFormats(v.cmd, &v.output, append(own, formatJSON, formatYAML, formatName)...)
}

// bindTimeout adds a --timeout that bounds the call.
func (v *verb[In, Out]) bindTimeout(usual time.Duration) {
	v.timeout = usual
	v.cmd.Flags().Var(durationFlag(&v.timeout), "timeout",
		"Give up after this long, for example 90s or 5m; 0 waits for ever")
}
