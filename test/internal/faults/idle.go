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
	defer busy.Close()
	// Another process has the lock: flock(2) waits for ever or not at all, and no event
	// tells when it is free. So it is tried until the limit.
	for end := time.Now().Add(within); ; time.Sleep(20 * time.Millisecond) {
		err := syscall.Flock(int(busy.Fd()), syscall.LOCK_EX|syscall.LOCK_NB)
		if !errors.Is(err, syscall.EWOULDBLOCK) || time.Now().After(end) {
			return err == nil, nil
		}
	}
}
