package buildtree

import (
	"errors"
	"os"
	"path/filepath"
	"testing"
	"time"
)

func write(t *testing.T, dir, name, content string) {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestWhatChangesATree(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		ignore  string
		change  func(t *testing.T, dir string)
		changes bool
	}{
		"nothing":                           {change: func(*testing.T, string) {}},
		"content":                           {change: func(t *testing.T, dir string) { write(t, dir, "main.go", "package other") }, changes: true},
		"a new file":                        {change: func(t *testing.T, dir string) { write(t, dir, "new.go", "x") }, changes: true},
		"a file in a folder":                {change: func(t *testing.T, dir string) { write(t, dir, "pkg/a.go", "y") }, changes: true},
		"a file that is gone":               {change: func(t *testing.T, dir string) { remove(t, dir, "pkg/a.go") }, changes: true},
		"a mode":                            {change: func(t *testing.T, dir string) { mode(t, dir, "main.go", 0o755) }, changes: true},
		"the Dockerfile outside":            {change: func(t *testing.T, dir string) { write(t, dir+"-file", "Dockerfile", "FROM y") }, changes: true},
		"a file that is left out":           {ignore: "*.log\n", change: func(t *testing.T, dir string) { write(t, dir, "a.log", "x") }},
		"a folder that is left out":         {ignore: "out\n", change: func(t *testing.T, dir string) { write(t, dir, "out/deep/x", "x") }},
		"git's own files":                   {change: func(t *testing.T, dir string) { write(t, dir, ".git/index", "x") }},
		"the lock":                          {change: func(t *testing.T, dir string) { write(t, dir, ".e2eimage/a.lock.yaml", "x") }},
		"a file that is brought back":       {ignore: "out\n!out/keep\n", change: func(t *testing.T, dir string) { write(t, dir, "out/keep", "x") }, changes: true},
		"a file beside one brought back":    {ignore: "out\n!out/keep\n", change: func(t *testing.T, dir string) { write(t, dir, "out/other", "x") }},
		"a file that a pattern brings back": {ignore: "**\n!**/*.go\n", change: func(t *testing.T, dir string) { write(t, dir, "pkg/a.go", "y") }, changes: true},
		"a file that no pattern does":       {ignore: "**\n!**/*.go\n", change: func(t *testing.T, dir string) { write(t, dir, "pkg/a.txt", "y") }},
		"what is left out is changed":       {change: func(t *testing.T, dir string) { write(t, dir, ".dockerignore", "pkg\n") }, changes: true},
		"a link":                            {change: func(t *testing.T, dir string) { link(t, dir) }, changes: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "context")
			write(t, dir, "main.go", "package main")
			write(t, dir, "pkg/a.go", "x")
			write(t, dir+"-file", "Dockerfile", "FROM x")
			if test.ignore != "" {
				write(t, dir, ".dockerignore", test.ignore)
			}
			// Also where the context is a link.
			if err := os.Symlink(dir, dir+"-link"); err != nil {
				t.Fatal(err)
			}
			tree := Tree{Context: dir, Dockerfiles: []string{filepath.Join(dir+"-file", "Dockerfile")}}
			linked := Tree{Context: dir + "-link", Dockerfiles: tree.Dockerfiles}
			metadata, content := digests(t, tree)
			test.change(t, dir)
			newMetadata, newContent := digests(t, tree)
			if m, c := digests(t, linked); m != newMetadata || c != newContent {
				t.Error("through a link it is another tree")
			}
			if changed := newContent != content; changed != test.changes {
				t.Errorf("content changed: %v, want %v", changed, test.changes)
			}
			if changed := newMetadata != metadata; changed != test.changes {
				t.Errorf("metadata changed: %v, want %v", changed, test.changes)
			}
		})
	}
}

func TestAFileThatIsOnlyTouchedHasTheSameContent(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "main.go", "package main")
	tree := Tree{Context: dir}
	metadata, content := digests(t, tree)
	if err := os.Chtimes(filepath.Join(dir, "main.go"), time.Unix(1, 0), time.Unix(1, 0)); err != nil {
		t.Fatal(err)
	}
	newMetadata, newContent := digests(t, tree)
	if newMetadata == metadata || newContent != content {
		t.Errorf("metadata %v, content %v", newMetadata == metadata, newContent == content)
	}
}

func TestAFileThatLooksAsItWasIsSeenToBeAnother(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(t *testing.T, path string, was time.Time){
		"written, with its time put back": func(t *testing.T, path string, was time.Time) {
			write(t, filepath.Dir(path), "main.go", "package mine")
			if err := os.Chtimes(path, was, was); err != nil {
				t.Fatal(err)
			}
		},
		"replaced by one of the same time": func(t *testing.T, path string, was time.Time) {
			write(t, filepath.Dir(path), "other", "package mine")
			other := filepath.Join(filepath.Dir(path), "other")
			if err := errors.Join(os.Chtimes(other, was, was), os.Rename(other, path)); err != nil {
				t.Fatal(err)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			path := filepath.Join(dir, "main.go")
			write(t, dir, "main.go", "package main")
			info, err := os.Stat(path)
			if err != nil {
				t.Fatal(err)
			}
			metadata, content := digests(t, Tree{Context: dir})
			change(t, path, info.ModTime())
			newMetadata, newContent := digests(t, Tree{Context: dir})
			if newMetadata == metadata || newContent == content {
				t.Errorf("metadata is the same: %v, content: %v", newMetadata == metadata, newContent == content)
			}
		})
	}
}

func TestAContextThatIsNotThereIsSaid(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "none")
	if _, err := (Tree{Context: dir}).Content(t.Context()); err == nil {
		t.Error("no error")
	}
}

func digests(t *testing.T, tree Tree) (metadata, content string) {
	t.Helper()
	metadata, err := tree.Metadata(t.Context())
	if err == nil {
		content, err = tree.Content(t.Context())
	}
	if err != nil {
		t.Fatal(err)
	}
	return metadata, content
}

func remove(t *testing.T, dir, name string) {
	t.Helper()
	if err := os.Remove(filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
}

func mode(t *testing.T, dir, name string, mode os.FileMode) {
	t.Helper()
	if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
		t.Fatal(err)
	}
}

func link(t *testing.T, dir string) {
	t.Helper()
	if err := os.Symlink("main.go", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
}

func TestADockerfileThatIsLeftOutCounts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, ".dockerignore", "**\n!*.go\n")
	write(t, dir, "Dockerfile", "FROM x")
	_, before := digests(t, Tree{Context: dir})
	write(t, dir, "Dockerfile", "FROM y")
	if _, after := digests(t, Tree{Context: dir}); after == before {
		t.Error("its change is not seen")
	}
}
