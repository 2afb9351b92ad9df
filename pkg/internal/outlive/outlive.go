// Package outlive lets what has begun end: a change elsewhere that is cut short leaves
// nobody knowing whether it was carried out. It must not know what is changed.
package outlive

import (
	"context"
	"time"
)

// WithGracePeriod returns a context that goes on for a grace after the end of ctx, whose cause
// then is its own. It carries ctx's values.
func WithGracePeriod(ctx context.Context, grace time.Duration) (context.Context, context.CancelFunc) {
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(grace, func() { cancel(context.Cause(ctx)) })
		context.AfterFunc(running, func() { timer.Stop() })
	})
	return running, func() { stop(); cancel(nil) }
}
