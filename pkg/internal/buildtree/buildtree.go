// Package buildtree tells what an image is built from, and whether that has changed: the
// files of a build context without those that an ignore file leaves out, the Dockerfile,
// the images that it names, and what flags of the engine add. It reads
// files and runs no command. It must not know locks, or which images engines have.
package buildtree

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"hash"
	"io"
	"io/fs"
	"os"
	"path/filepath"
)

// The engines, which do not read the same files.
const (
	docker = "docker"
	podman = "podman"
)

// Tree is the files that an image is built from.
type Tree struct {
	// Engine that reads them, docker or podman; "" for a command of the user's own.
	Engine string
	// Legacy is set where docker may build without BuildKit.
	Legacy bool
	// Context is a folder.
	Context string
	// Dockerfiles, which may be outside; none for the engine's default in Context.
	Dockerfiles []string
	// IgnoreFile takes the place of those that the engine looks for.
	IgnoreFile string
	// Also are other files and folders.
	Also []string
}

// dockerfiles are the files that the engine would read.
func (t Tree) dockerfiles() []string {
	if len(t.Dockerfiles) > 0 {
		return t.Dockerfiles
	}
	names := []string{"Containerfile", "Dockerfile"}
	if t.Engine == docker {
		names = []string{"Dockerfile", "dockerfile"}
	}
	for _, name := range names {
		path := filepath.Join(t.Context, name)
		if _, err := os.Stat(path); err == nil {
			return []string{path}
		}
	}
	// A command builds it, or an engine will say that there is none.
	return nil
}

// Metadata is a digest of names, sizes, modes, times and inodes. It reads no file, and
// where it has not changed, nothing has.
func (t Tree) Metadata(ctx context.Context) (string, error) {
	return t.digest(ctx, func(sum hash.Hash, path string, info fs.FileInfo) error {
		if _, err := fmt.Fprintf(sum, "%d %d\n", info.Size(), info.ModTime().UnixNano()); err != nil {
			return err
		}
		return addIdentity(sum, path)
	})
}

// Content is a digest of names, modes, contents and extended attributes.
func (t Tree) Content(ctx context.Context) (string, error) {
	return t.digest(ctx, func(sum hash.Hash, path string, info fs.FileInfo) error {
		switch {
		case info.Mode().IsRegular():
			if err := addAttributes(sum, path); err != nil {
				return err
			}
			return hashFile(ctx, sum, path)
		case info.Mode()&fs.ModeSymlink != 0:
			target, err := os.Readlink(path)
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(sum, "%q\n", target)
			return err
		}
		return nil
	})
}

// hashFile adds a file's content as a digest of its own, so that no content can
// look like the next file's name.
func hashFile(ctx context.Context, sum hash.Hash, path string) error {
	file, err := os.Open(path)
	if err != nil {
		return err
	}
	defer func() { _ = file.Close() }()
	one := sha256.New()
	if _, err := io.Copy(one, &interruptible{ctx, file}); err != nil {
		return err
	}
	_, err = sum.Write(one.Sum(nil))
	return err
}

// interruptible ends reading with its context.
type interruptible struct {
	ctx context.Context
	io.Reader
}

// Read implements io.Reader.
func (i *interruptible) Read(p []byte) (int, error) {
	if err := context.Cause(i.ctx); err != nil {
		return 0, err
	}
	return i.Reader.Read(p)
}

func (t Tree) digest(ctx context.Context, add func(hash.Hash, string, fs.FileInfo) error) (string, error) {
	left, err := t.leftOut()
	if err != nil {
		return "", err
	}
	sum := sha256.New()
	if err := walk(ctx, sum, t.Context, left, add); err != nil {
		return "", fmt.Errorf("build context %s: %w", t.Context, err)
	}
	// Wherever they are, and also where they are left out.
	for _, path := range append(t.dockerfiles(), t.Also...) {
		if err := walk(ctx, sum, path, nil, add); err != nil {
			return "", err
		}
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// walk adds a file, or a folder with all in it that is not left out.
func walk(ctx context.Context, sum hash.Hash, root string, left leftOut,
	add func(hash.Hash, string, fs.FileInfo) error,
) error {
	// It can be a link, which an engine follows.
	root, err := filepath.EvalSymlinks(root)
	if err != nil {
		return err
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		name, relErr := filepath.Rel(root, path)
		if relErr != nil {
			return relErr
		}
		if name == "." && (err != nil || entry.IsDir()) {
			return err
		}
		skip, skipErr := left.skips(name, entry)
		if skip || skipErr != nil {
			return skipErr
		}
		if err != nil {
			return unlessGone(err)
		}
		info, err := entry.Info()
		if err != nil {
			return unlessGone(err)
		}
		_, err = fmt.Fprintf(sum, "%q %v\n", filepath.ToSlash(name), info.Mode())
		if err != nil || entry.IsDir() {
			// Folders change their times with the files in them.
			return err
		}
		return unlessGone(add(sum, path, info))
	})
}

// unlessGone passes over files that were removed while they were looked at.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
