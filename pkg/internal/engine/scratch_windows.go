package engine

import (
	"errors"
	"os"
	"path/filepath"

	"github.com/gofrs/flock"
)

// hold is the lock of a folder: a file in it, as Windows locks no folders.
func hold(dir string) *flock.Flock { return flock.New(filepath.Join(dir, "held")) }

// isOurs tells whether this user made a folder: the temporary folder is the user's own.
func isOurs(info os.FileInfo) bool { return info.IsDir() }

// Close takes the folder away. What was named is not named any more. Windows removes no
// open file, so that the lock goes first; who takes it then finds nothing left to do.
func (s *scratch) Close() error { return errors.Join(s.held.Close(), os.RemoveAll(s.dir)) }
