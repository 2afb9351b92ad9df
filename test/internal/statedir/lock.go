package statedir

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// lockRetry is the pause between two tries: flock(2) has no way to wait that a
// context can end.
const lockRetry = 200 * time.Millisecond

// Lock takes the named lock of the state folder, waiting for another process
// that has it. The kernel drops the lock of a process that dies.
func Lock(ctx context.Context, dir, name string, log io.Writer) (unlock func(), err error) {
	file := filepath.Join(dir, name+".lock")
	f, err := os.OpenFile(file, os.O_CREATE|os.O_RDWR, 0o644)
	if err != nil {
		return nil, fmt.Errorf("lock %s: %w", name, err)
	}
	tick := time.NewTicker(lockRetry)
	defer tick.Stop()
	for said := false; ; {
		err := syscall.Flock(int(f.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if err == nil {
			return func() { _ = f.Close() }, nil
		}
		if !errors.Is(err, syscall.EWOULDBLOCK) && !errors.Is(err, syscall.EINTR) {
			return nil, errors.Join(fmt.Errorf("lock %s: %w", file, err), f.Close())
		}
		if !said {
			fmt.Fprintf(log, "waiting for another process that works on this (%s)\n", file)
			said = true
		}
		select {
		case <-ctx.Done():
			return nil, errors.Join(fmt.Errorf("lock %s: %w", file, context.Cause(ctx)), f.Close())
		case <-tick.C:
		}
	}
}
