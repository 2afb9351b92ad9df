package buildtree

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/moby/patternmatcher"
	"github.com/moby/patternmatcher/ignorefile"
)

// git is a folder that tools write in while nothing changes that most images take.
const git = ".git"

// own is the product's folder, where it writes at each build.
const own = "**/.e2eimage"

// leftOut are the ignore files that an engine may read: what all of them leave out is not
// sent. None leave nothing out.
type leftOut []*patternmatcher.PatternMatcher

// leftOut reads the ignore files.
func (t Tree) leftOut() (leftOut, error) {
	always := []string{own}
	if !t.takesGit() {
		always = append(always, git)
	}
	return t.matchers(always)
}

// takesGit tells whether the image may have files of .git.
func (t Tree) takesGit() bool {
	if t.Engine == "" {
		// What a command takes is not known, and it is run each time.
		return false
	}
	r, err := readRecipe(t.Engine, t.dockerfiles(), nil, "")
	return err != nil || r.takesFrom(git)
}

func (t Tree) matchers(always []string) (leftOut, error) {
	var left leftOut
	for _, path := range t.ignoreFiles() {
		listed, err := patterns(path)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		matcher, err := patternmatcher.New(append(listed, always...))
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		left = append(left, matcher)
	}
	if len(left) == 0 {
		matcher, err := patternmatcher.New(always)
		return leftOut{matcher}, err
	}
	return left, nil
}

// ignoreFiles are those that the engine reads: one mostly, two where it depends on the
// builder which.
func (t Tree) ignoreFiles() []string {
	if t.IgnoreFile != "" {
		return []string{t.IgnoreFile}
	}
	// A Dockerfile's own goes first.
	var candidates []string
	for _, file := range t.dockerfiles() {
		candidates = append(candidates, file+".dockerignore")
		if t.Engine != docker {
			candidates = append(candidates, file+".containerignore")
		}
	}
	if t.Engine != docker {
		candidates = append(candidates, filepath.Join(t.Context, ".containerignore"))
	}
	general := filepath.Join(t.Context, ".dockerignore")
	i := slices.IndexFunc(append(candidates, general), isThere)
	switch {
	case i < 0:
		return nil
	case t.Legacy && i < len(candidates):
		// Without BuildKit docker reads only the general one, and sends all where there
		// is none.
		return []string{candidates[i], general}
	}
	return []string{append(candidates, general)[i]}
}

// isThere tells whether there is a file, or what cannot be looked at.
func isThere(path string) bool {
	_, err := os.Stat(path)
	return !errors.Is(err, fs.ErrNotExist)
}

// DependsOnBuilder tells whether what docker leaves out depends on whether it builds with
// BuildKit.
func (t Tree) DependsOnBuilder() bool {
	return t.Engine == docker && slices.ContainsFunc(t.dockerfiles(), func(file string) bool {
		return isThere(file + ".dockerignore")
	})
}

func patterns(path string) ([]string, error) {
	text, err := os.ReadFile(path)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	return ignorefile.ReadAll(bytes.NewReader(text))
}

// Sends tells whether a file or folder of the context would be sent to the engine:
// nothing leaves it out.
func (t Tree) Sends(path string) bool {
	name, err := filepath.Rel(t.Context, path)
	if err != nil || name == "." || name == ".." || strings.HasPrefix(name, ".."+string(filepath.Separator)) {
		return false
	}
	left, err := t.matchers(nil)
	if err != nil {
		return false
	}
	out, err := left.has(name)
	return err == nil && !out
}

// LeavesOut is the ignore file that the engine reads, "" for none, and the pattern by which
// it leaves out the product's own folder, too. Where two engines may read two files, there
// is no such file.
func (t Tree) LeavesOut() (file, pattern string, ok bool) {
	files := t.ignoreFiles()
	switch len(files) {
	case 0:
		return "", own, true
	case 1:
		return files[0], own, true
	}
	return "", "", false
}

// Dockerfile is the file that the engine reads, "" where there is none or are several.
func (t Tree) Dockerfile() string {
	if files := t.dockerfiles(); len(files) == 1 {
		return files[0]
	}
	return ""
}

// has tells whether a file is left out.
func (l leftOut) has(name string) (bool, error) {
	for _, matcher := range l {
		if is, err := matcher.MatchesOrParentMatches(filepath.ToSlash(name)); err != nil || !is {
			return false, err
		}
	}
	return len(l) > 0, nil
}

// skips tells whether a file is left out; fs.SkipDir where nothing in a folder can be
// meant.
func (l leftOut) skips(name string, entry fs.DirEntry) (bool, error) {
	out, err := l.has(name)
	if err != nil || !out {
		return false, err
	}
	if entry == nil || !entry.IsDir() {
		return true, nil
	}
	if slices.ContainsFunc(l, (*patternmatcher.PatternMatcher).Exclusions) {
		// Something in the folder may be brought back.
		return true, nil
	}
	return true, fs.SkipDir
}
