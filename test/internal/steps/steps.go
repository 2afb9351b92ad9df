// Package steps reports long steps of building and starting the test cluster:
// a line at the start, one now and then with the time so far, one at the end.
// Plain lines, because they mostly end up in the log of a CI run.
package steps

import (
	"context"
	"fmt"
	"io"
	"time"
)

// every is the time between two signs of life.
const every = 20 * time.Second

// Do runs fn and tells w about it. It returns when fn has returned, so nothing
// goes on behind a cancelled context.
func Do(ctx context.Context, w io.Writer, what string, fn func(context.Context) error) error {
	return do(ctx, w, what, every, fn)
}

func do(ctx context.Context, w io.Writer, what string, every time.Duration, fn func(context.Context) error) error {
	start := time.Now()
	fmt.Fprintf(w, "%s …\n", what)
	done := make(chan error, 1)
	go func() { done <- fn(ctx) }()
	tick := time.NewTicker(every)
	defer tick.Stop()
	for {
		select {
		case err := <-done:
			took := time.Since(start).Round(100 * time.Millisecond)
			if err != nil {
				fmt.Fprintf(w, "%s: failed after %s\n", what, took)
				return err
			}
			fmt.Fprintf(w, "%s: done in %s\n", what, took)
			return nil
		case <-tick.C:
			fmt.Fprintf(w, "%s: %s so far\n", what, time.Since(start).Round(time.Second))
		}
	}
}
