package engine

import (
	"context"
	"io"

	"github.com/e2eimage/kubectl-e2eimage/internal/heed"
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
	read, err := heed.Do(h.ctx, func() (result, error) {
		n, err := h.from.Read(own)
		return result{n, err}, nil
	})
	if err != nil {
		return 0, err
	}
	return copy(p, own[:read.n]), read.err
}
