// Package heed lets what knows no context, such as opening or reading a pipe, be given up
// when one ends. It must not be used for work that must not go on after that.
package heed

import "context"

// Do returns what work returns, or the context's cause if that ends first. What is then
// still going on ends with the process, and nobody sees what it returns.
func Do[T any](ctx context.Context, work func() (T, error)) (T, error) {
	type result struct {
		value T
		err   error
	}
	done := make(chan result, 1)
	go func() {
		value, err := work()
		done <- result{value, err}
	}()
	select {
	case all := <-done:
		return all.value, all.err
	case <-ctx.Done():
		var none T
		return none, context.Cause(ctx)
	}
}
