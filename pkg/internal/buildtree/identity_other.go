//go:build !linux && !darwin

package buildtree

import (
	"hash"
	"io/fs"
	"time"
)

func addIdentity(hash.Hash, string) error { return nil }

func addAttributes(hash.Hash, string) error { return nil }

// ChangedAt is when a file was written or replaced.
func ChangedAt(_ string, info fs.FileInfo) time.Time { return info.ModTime() }
