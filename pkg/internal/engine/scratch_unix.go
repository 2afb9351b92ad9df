//go:build unix

package engine

import (
	"errors"
	"os"
	"syscall"

	"github.com/gofrs/flock"
)

// hold is the lock of a folder: the folder itself, so that nobody holds what is gone.
func hold(dir string) *flock.Flock { return flock.New(dir, flock.SetFlag(os.O_RDONLY)) }

// isOurs tells whether this user made a folder: others may write what they like in theirs.
func isOurs(info os.FileInfo) bool {
	stat, known := info.Sys().(*syscall.Stat_t)
	return info.IsDir() && known && int(stat.Uid) == os.Getuid()
}

// Close takes the folder away. What was named is not named any more.
func (s *scratch) Close() error { return errors.Join(os.RemoveAll(s.dir), s.held.Close()) }
