//go:build linux || darwin

package buildtree

import (
	"bytes"
	"errors"
	"fmt"
	"hash"
	"io/fs"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// addIdentity adds what tells that a file was written or replaced although its size and
// its modification time, which any program may set, are what they were.
func addIdentity(sum hash.Hash, path string) error {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err != nil {
		return &fs.PathError{Op: "lstat", Path: path, Err: err}
	}
	_, err := fmt.Fprintf(sum, "%d %d\n", stat.Ino, stat.Ctim.Nano())
	return err
}

// ChangedAt is when a file was written or replaced, whatever its modification time says.
func ChangedAt(path string, info fs.FileInfo) time.Time {
	var stat unix.Stat_t
	if err := unix.Lstat(path, &stat); err == nil {
		if changed := time.Unix(stat.Ctim.Unix()); changed.After(info.ModTime()) {
			return changed
		}
	}
	return info.ModTime()
}

// addAttributes adds the extended attributes that an image can have: capabilities, and
// the user's own.
func addAttributes(sum hash.Hash, path string) error {
	listed, err := attribute(func(into []byte) (int, error) { return unix.Llistxattr(path, into) })
	if err != nil {
		return err
	}
	names := strings.FieldsFunc(string(listed), func(r rune) bool { return r == 0 })
	slices.Sort(names)
	for _, name := range names {
		if name != "security.capability" && !strings.HasPrefix(name, "user.") {
			continue
		}
		value, err := attribute(func(into []byte) (int, error) { return unix.Lgetxattr(path, name, into) })
		if err != nil {
			return err
		}
		if _, err := fmt.Fprintf(sum, "%q %q\n", name, value); err != nil {
			return err
		}
	}
	return nil
}

// attribute asks for the size first. What a file system does not have is empty.
func attribute(ask func([]byte) (int, error)) ([]byte, error) {
	for {
		size, err := ask(nil)
		var into []byte
		if err == nil && size > 0 {
			into = make([]byte, size)
			size, err = ask(into)
		}
		switch {
		case errors.Is(err, unix.ERANGE):
			// It became longer meanwhile.
		case errors.Is(err, unix.ENOTSUP), errors.Is(err, unix.EPERM):
			return nil, nil
		case err != nil:
			return nil, err
		default:
			return bytes.Clone(into[:size]), nil
		}
	}
}
