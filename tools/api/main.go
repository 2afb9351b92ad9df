// Command api holds public packages to what they were:
//
//	api [-update] FOLDER FILE PACKAGES
//
// FOLDER is that of the packages' module. FILE lists all that their users can name, a line
// each, as Go's own api/*.txt do. A line that is gone breaks somebody, and is an error. A new
// one is an error until -update has written it down, so that nothing becomes public unseen;
// -update takes away no line.
package main

import (
	"bytes"
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"slices"
	"strings"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	update := flag.Bool("update", false, "write new lines into FILE")
	flag.Parse()
	if err := run(ctx, *update, flag.Args()); err != nil {
		_, _ = fmt.Fprintln(os.Stderr, "api:", err)
		stop()
		os.Exit(1)
	}
}

func run(ctx context.Context, update bool, args []string) error {
	if len(args) < 3 {
		return errors.New("usage: api [-update] FOLDER FILE PACKAGES")
	}
	now, err := list(ctx, args[0], args[2:])
	if err != nil {
		return err
	}
	text, err := os.ReadFile(args[1])
	if err != nil && !(update && errors.Is(err, os.ErrNotExist)) {
		return err
	}
	gone, added := compare(strings.Split(strings.TrimSpace(string(text)), "\n"), now)
	if len(gone) > 0 {
		return fmt.Errorf("these are gone or changed, which breaks their users; keep them, as deprecated:\n  %s\n"+
			"what was never released may go: delete its line from %s", strings.Join(gone, "\n  "), args[1])
	}
	if len(added) > 0 && !update {
		return fmt.Errorf("these are new:\n  %s\nif they are to be public for good, write them down: make api",
			strings.Join(added, "\n  "))
	}
	if !update {
		return nil
	}
	var out bytes.Buffer
	for _, line := range now {
		out.WriteString(line + "\n")
	}
	return os.WriteFile(args[1], out.Bytes(), 0o644)
}

// compare tells which lines are gone and which are new. Both are sorted.
func compare(before, now []string) (gone, added []string) {
	for _, line := range before {
		if line != "" && !slices.Contains(now, line) {
			gone = append(gone, line)
		}
	}
	for _, line := range now {
		if !slices.Contains(before, line) {
			added = append(added, line)
		}
	}
	return gone, added
}
