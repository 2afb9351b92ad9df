//go:build !linux && !darwin

package buildtree

import (
	"hash"
	"io/fs"
	"time"
)

func addIdentity(hash.Hash, string) error { return nil }

func addAttributes(hash.Hash, string) error { return nil }

func changedAt(_ string, info fs.FileInfo) time.Time { return info.ModTime() }
