package nodeimage

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
)

// tree writes into a file system tree and cannot leave it, whatever symbolic
// links Debian put there. It keeps the first error and then does nothing more.
type tree struct {
	root *os.Root
	err  error
}

func (t *tree) file(name string, mode fs.FileMode, content []byte) {
	t.make(name, func() error {
		if err := t.root.WriteFile(name, content, mode); err != nil {
			return err
		}
		// The umask must not decide.
		return t.root.Chmod(name, mode)
	})
}

func (t *tree) program(name, from string) {
	t.make(name, func() (err error) {
		in, err := os.Open(from)
		if err != nil {
			return err
		}
		defer in.Close()
		out, err := t.root.Create(name)
		if err != nil {
			return err
		}
		_, err = io.Copy(out, in)
		return errors.Join(err, out.Close(), t.root.Chmod(name, 0o755))
	})
}

// link makes a symbolic link, in the place of whatever is there.
func (t *tree) link(name, target string) {
	t.make(name, func() error {
		if err := t.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		return t.root.Symlink(target, name)
	})
}

// hardLink gives a file another name. Whoever copies that name out of the node gets the
// file, where a symbolic link would be copied as a link.
func (t *tree) hardLink(name, file string) {
	t.make(name, func() error { return t.root.Link(file, name) })
}

func (t *tree) folder(name string) {
	t.make(path.Join(name, "."), func() error { return t.root.MkdirAll(name, 0o755) })
}

// edit changes a file's text.
func (t *tree) edit(name string, change func(string) (string, error)) {
	t.do(name, func() error {
		text, err := t.root.ReadFile(name)
		if err != nil {
			return err
		}
		changed, err := change(string(text))
		if err != nil {
			return err
		}
		return t.root.WriteFile(name, []byte(changed), 0o644)
	})
}

// removeMatching removes the files of one folder that match a pattern.
func (t *tree) removeMatching(pattern string) {
	t.do(pattern, func() error {
		names, err := fs.Glob(t.root.FS(), pattern)
		if err != nil {
			return err
		}
		for _, name := range names {
			if err := t.root.Remove(name); err != nil {
				return err
			}
		}
		return nil
	})
}

// make runs fn with the folder of name there.
func (t *tree) make(name string, fn func() error) {
	t.do(name, func() error {
		if dir := path.Dir(name); dir != "." {
			if err := t.root.MkdirAll(dir, 0o755); err != nil {
				return err
			}
		}
		return fn()
	})
}

func (t *tree) do(name string, fn func() error) {
	if t.err != nil {
		return
	}
	if err := fn(); err != nil {
		t.err = fmt.Errorf("node image, %s: %w", name, err)
	}
}
