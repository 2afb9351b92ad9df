// Package buildtree tells whether what an image is built from has changed: the
// files of a build context without those that .dockerignore leaves out, and the
// Dockerfile. It must not know engines, locks or images.
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
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// Tree is what an image is built from.
type Tree struct {
	// Context is a folder.
	Context string
	// File is the Dockerfile, which may be outside; "" for one of the default
	// names in Context.
	File string
}

// always are left out: tools write there while nothing changes.
var always = []string{".git", ".e2eimage"}

// Sends tells whether a file or folder of the context would be sent to the engine:
// nothing leaves it out.
func (t Tree) Sends(path string) bool {
	name, err := filepath.Rel(t.Context, path)
	if err != nil || name == "." || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		return false
	}
	patterns, err := t.patterns()
	if err != nil {
		return false
	}
	matcher, err := patternmatcher.New(patterns)
	if err != nil {
		return false
	}
	ignored, err := matcher.MatchesOrParentMatches(filepath.ToSlash(name))
	return err == nil && !ignored
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
	ignored, err := t.ignored()
	if err != nil {
		return "", err
	}
	// A context can be a link, which an engine follows.
	root, err := filepath.EvalSymlinks(t.Context)
	if err != nil {
		return "", fmt.Errorf("build context %s: %w", t.Context, err)
	}
	sum := sha256.New()
	err = filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if cause := context.Cause(ctx); cause != nil {
			return cause
		}
		name, relErr := filepath.Rel(root, path)
		if relErr != nil {
			return relErr
		}
		if name == "." {
			return err
		}
		skip, skipErr := ignored.skips(name, entry)
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
		if entry.IsDir() {
			// Folders change their times with the files in them.
			_, err = fmt.Fprintf(sum, "%q %v\n", filepath.ToSlash(name), info.Mode())
			return err
		}
		if _, err := fmt.Fprintf(sum, "%q %v\n", filepath.ToSlash(name), info.Mode()); err != nil {
			return err
		}
		return unlessGone(add(sum, path, info))
	})
	if err == nil {
		err = t.addFile(sum, add)
	}
	if err != nil {
		return "", fmt.Errorf("build context %s: %w", t.Context, err)
	}
	return "sha256:" + hex.EncodeToString(sum.Sum(nil)), nil
}

// unlessGone passes over files that were removed while they were looked at.
func unlessGone(err error) error {
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// addFile counts the Dockerfile also where it is outside or left out.
func (t Tree) addFile(sum hash.Hash, add func(hash.Hash, string, fs.FileInfo) error) error {
	path := t.File
	for _, name := range []string{"Dockerfile", "Containerfile"} {
		if _, err := os.Stat(filepath.Join(t.Context, name)); path == "" && err == nil {
			path = filepath.Join(t.Context, name)
		}
	}
	if path == "" {
		// A command builds it, or an engine will say that there is none.
		return nil
	}
	info, err := os.Stat(path)
	if err != nil {
		return err
	}
	if _, err := fmt.Fprintf(sum, "file %v\n", info.Mode()); err != nil {
		return err
	}
	return add(sum, path, info)
}

// ignore is what stays outside.
type ignore struct {
	*patternmatcher.PatternMatcher
}

// ignored reads the ignore file that the engines would take: the Dockerfile's own
// first.
func (t Tree) ignored() (ignore, error) {
	patterns, err := t.patterns()
	if err != nil {
		return ignore{}, err
	}
	matcher, err := patternmatcher.New(append(patterns, always...))
	if err != nil {
		return ignore{}, fmt.Errorf("ignore file of build context %s: %w", t.Context, err)
	}
	return ignore{matcher}, nil
}

// patterns are those of the ignore file that is taken.
func (t Tree) patterns() ([]string, error) {
	candidates := []string{filepath.Join(t.Context, ".containerignore"), filepath.Join(t.Context, ".dockerignore")}
	if t.File != "" {
		candidates = append([]string{t.File + ".containerignore", t.File + ".dockerignore"}, candidates...)
	}
	return firstPatterns(candidates)
}

func firstPatterns(candidates []string) ([]string, error) {
	for _, path := range candidates {
		file, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, err
		}
		patterns, err := ignorefile.ReadAll(file)
		if err = errors.Join(err, file.Close()); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		return patterns, nil
	}
	return nil, nil
}

// skips tells whether a file is left out; fs.SkipDir where nothing in a folder can
// be meant.
func (i ignore) skips(name string, entry fs.DirEntry) (bool, error) {
	matches, err := i.MatchesOrParentMatches(name)
	if err != nil || !matches {
		return false, err
	}
	if entry == nil || !entry.IsDir() {
		return true, nil
	}
	if i.Exclusions() {
		// Something in the folder may be brought back.
		return true, nil
	}
	return true, fs.SkipDir
}
