package kindtest

import (
	"context"
	"io"
)

// Down stops what was started here.
func Down(ctx context.Context, purge bool, log io.Writer) error { return nil }
