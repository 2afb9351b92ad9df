// Command suites runs several `go test` at once, shows each test as it ends, and tells
// at the end what ran, how long it took, what failed, and the command that repeats it.
// Which suites there are is the Makefile's business.
//
//	go run ./test/suites -at-once 2 'unit -race ./pkg/...' 'podman ./test/e2e -provider podman'
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, stdout, stderr io.Writer) int {
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	flags := flag.NewFlagSet("suites", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: suites [-at-once N] 'NAME GO-TEST-ARGUMENTS'...")
		flags.PrintDefaults()
	}
	atOnce := flags.Int("at-once", 1, "how many suites run side by side")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	suites, err := parse(flags.Args())
	if err == nil && *atOnce < 1 {
		err = fmt.Errorf("-at-once %d: must be at least 1", *atOnce)
	}
	if err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return 2
	}
	begun := time.Now()
	results := runAll(ctx, suites, *atOnce, &screen{w: stdout})
	fmt.Fprint(stdout, report(results, time.Since(begun)))
	for _, r := range results {
		if r.err != nil {
			return 1
		}
	}
	return 0
}

// suite is one `go test` with a name.
type suite struct {
	name string
	// args are those of go test; words that begin with "./" are packages.
	args []string
}

func parse(args []string) ([]suite, error) {
	var suites []suite
	seen := map[string]bool{}
	for _, arg := range args {
		words := strings.Fields(arg)
		if len(words) < 2 {
			return nil, fmt.Errorf("suite %q: give its name and the arguments of go test", arg)
		}
		if seen[words[0]] {
			return nil, fmt.Errorf("two suites are called %q", words[0])
		}
		seen[words[0]] = true
		suites = append(suites, suite{name: words[0], args: words[1:]})
	}
	if len(suites) == 0 {
		return nil, errors.New("no suite: give at least one, as 'NAME GO-TEST-ARGUMENTS'")
	}
	return suites, nil
}
