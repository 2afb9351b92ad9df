package outlive

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

var errStopped = errors.New("stopped")

func TestAContextGoesOnForItsGraceAfterTheRunWasStopped(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, stop := context.WithCancelCause(t.Context())
		change, done := WithGracePeriod(run, time.Second)
		defer done()
		time.Sleep(time.Hour) // in synctest's bubble its clock jumps: nobody waits
		if change.Err() != nil {
			t.Fatalf("ended although nobody stopped it: %v", context.Cause(change))
		}
		stop(errStopped)
		time.Sleep(time.Second - time.Nanosecond) // in synctest's bubble its clock jumps: nobody waits
		if change.Err() != nil {
			t.Fatalf("ended before its grace: %v", context.Cause(change))
		}
		time.Sleep(time.Nanosecond) // in synctest's bubble its clock jumps: nobody waits
		synctest.Wait()
		if !errors.Is(context.Cause(change), errStopped) {
			t.Errorf("after its grace it says %v", context.Cause(change))
		}
	})
}

func TestAContextThatIsDoneWaitsForNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		run, stop := context.WithCancelCause(t.Context())
		change, done := WithGracePeriod(run, time.Hour)
		stop(errStopped)
		synctest.Wait()
		begun := time.Now()
		done()
		if <-change.Done(); time.Since(begun) != 0 {
			t.Errorf("it took %v", time.Since(begun))
		}
	})
}
