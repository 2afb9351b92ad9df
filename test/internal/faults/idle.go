package faults

import (
	"errors"
	"os"
	"syscall"
	"time"
)

// Idle waits until nothing goes on in a node any more that was begun with the
// file as BusyVariable, and tells whether it came to that in time.
func Idle(file string, within time.Duration) (bool, error) {
	busy, err := os.OpenFile(file, os.O_RDWR|os.O_CREATE, 0o600)
	if err != nil {
		return false, err
	}
	locked := make(chan error, 1)
	go func() {
		// flock(2) has no limit: where nothing ends, it waits until the tests do.
		defer busy.Close()
		for {
			err := syscall.Flock(int(busy.Fd()), syscall.LOCK_EX)
			if !errors.Is(err, syscall.EINTR) {
				locked <- err
				return
			}
		}
	}()
	select {
	case err := <-locked:
		return err == nil, err
	case <-time.After(within):
		return false, nil
	}
}
