// Command faultengine stands on PATH in front of an engine's CLI, under its name,
// for tests: see package faults.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
)

func main() {
	// The root of all contexts of this process. Signals kill it, as the product wants
	// of an engine's CLI that it gives up.
	code, err := faults.Engine(context.Background(), os.Args[1:])
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		code = max(code, 1)
	}
	os.Exit(code)
}
