package e2eimage

import (
	"context"
	"errors"
	"io"
	"testing"
)

func TestReadingOfStandardInputEndsWithItsContext(t *testing.T) {
	t.Parallel()
	interrupted := errors.New("interrupted")
	ctx, interrupt := context.WithCancelCause(t.Context())
	reader, writer := io.Pipe()
	defer writer.Close()
	go func() {
		_, _ = io.WriteString(writer, "a: b\n")
		interrupt(interrupted)
	}()
	if text, err := readAll(ctx, reader); !errors.Is(err, interrupted) {
		t.Errorf("read %q, %v", text, err)
	}
}
