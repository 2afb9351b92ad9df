// Command kubectl-e2eimage is a kubectl plugin: signals, streams and the exit
// code are here, everything else is in package cli.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"k8s.io/cli-runtime/pkg/genericiooptions"
	_ "k8s.io/client-go/plugin/pkg/client/auth" // for kubeconfigs with auth-provider, as kubectl

	"github.com/e2eimage/kubectl-e2eimage/internal/cli"
)

func main() {
	os.Exit(run())
}

func run() int {
	ctx, cancel := context.WithCancelCause(context.Background())
	defer cancel(nil)
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		cancel(&cli.SignalError{Signal: <-signals})
		// A second signal finds the default action: the user means it.
		signal.Stop(signals)
	}()
	dir, err := os.Getwd()
	if err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "error:", err)
		return 1
	}
	cli.LogTo(os.Stderr)
	return cli.Run(ctx, cli.Host{
		Streams:     genericiooptions.IOStreams{In: os.Stdin, Out: os.Stdout, ErrOut: os.Stderr},
		Environment: os.LookupEnv,
		Dir:         dir,
	}, os.Args[1:])
}
