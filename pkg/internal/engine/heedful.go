package engine

import (
	"context"
	"io"
)

// heedful reads until its context ends, also where nobody writes. It is for one reader.
type heedful struct {
	ctx  context.Context
	from io.Reader
	// own is what is read into: a read that nobody waits for any more must not write
	// into the caller's buffer.
	own []byte
}

// Read implements io.Reader.
func (h *heedful) Read(p []byte) (int, error) {
	if cap(h.own) < len(p) {
		h.own = make([]byte, len(p))
	}
	own := h.own[:len(p)]
	type result struct {
		n   int
		err error
	}
	read, err := unlessDone(h.ctx, func() (result, error) {
		n, err := h.from.Read(own)
		return result{n, err}, nil
	})
	if err != nil {
		return 0, err
	}
	return copy(p, own[:read.n]), read.err
}

// unlessDone waits for what may never end, or for the context's end. What is then still
// going on ends with the process.
func unlessDone[T any](ctx context.Context, work func() (T, error)) (T, error) {
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
