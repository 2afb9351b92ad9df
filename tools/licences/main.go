// Command licences checks that everything that is linked into a program, on any of its
// platforms, has a licence that is allowed:
//
//	licences FOLDER PACKAGE
//
// FOLDER is that of the program's module.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
)

// allowed are licences that ask for no more than their text and the names of the authors.
var allowed = []string{"Apache-2.0", "BSD-2-Clause", "BSD-3-Clause", "ISC", "MIT", "Unlicense"}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "licences:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, args []string) error {
	if len(args) != 2 {
		return errors.New("usage: licences FOLDER PACKAGE")
	}
	linked, err := modules(ctx, args[0], args[1])
	if err != nil {
		return err
	}
	var problems []string
	count := map[string]int{}
	for _, m := range linked {
		found, problem := check(m)
		if problem != "" {
			problems = append(problems, fmt.Sprintf("%s %s: %s", m.Path, m.Version, problem))
		}
		count[strings.Join(found, " and ")]++
	}
	if len(problems) > 0 {
		return fmt.Errorf("not allowed, or not understood; allowed are %s:\n  %s",
			strings.Join(allowed, ", "), strings.Join(problems, "\n  "))
	}
	var said []string
	for licence, n := range count {
		said = append(said, fmt.Sprintf("%d %s", n, licence))
	}
	slices.Sort(said)
	fmt.Printf("licences of %d modules: %s\n", len(linked), strings.Join(said, ", "))
	return nil
}
