package heed

import (
	"context"
	"errors"
	"io"
	"testing"
)

func TestWhatWorkReturnsIsReturned(t *testing.T) {
	t.Parallel()
	if got, err := Do(t.Context(), func() (int, error) { return 7, io.EOF }); got != 7 || !errors.Is(err, io.EOF) {
		t.Errorf("%d, %v", got, err)
	}
}

func TestAReadThatNobodyAnswersIsGivenUpWithTheContext(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	defer func() { _ = writer.Close() }()
	stopped := errors.New("stopped")
	ctx, stop := context.WithCancelCause(t.Context())
	stop(stopped)
	if _, err := Do(ctx, func() ([]byte, error) { return io.ReadAll(reader) }); !errors.Is(err, stopped) {
		t.Errorf("%v, want the context's cause", err)
	}
}
