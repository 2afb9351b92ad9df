package cli

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strconv"

	"github.com/e2eimage/kubectl-e2eimage/internal/heed"
)

// output is where a result is written instead of stdout.
type output struct {
	path string
	// mode of a file that is there.
	mode fs.FileMode
	// stream is what is written to where the path stands for it, or for no file that could
	// be replaced.
	stream io.Writer
}

// printTo lets print write to a file instead of stdout, unless the path is "".
func (a *app) printTo(ctx context.Context, path string, print func() error) error {
	if path == "" {
		return print()
	}
	var text bytes.Buffer
	stdout := a.host.Streams.Out
	a.host.Streams.Out = &text
	err := print()
	a.host.Streams.Out = stdout
	if err != nil {
		return err
	}
	to, err := a.outputTo(path)
	if err != nil {
		return err
	}
	return to.write(ctx, text.Bytes())
}

// descriptor is how systems name the open files of a process.
var descriptor = regexp.MustCompile(`^/(?:dev|proc/([^/]+))/fd/([0-9]+)$`)

// outputTo finds what a path stands for: links lead on to what is written.
func (a *app) outputTo(path string) (output, error) {
	const maxLinks = 40
	path = a.inFolder(path)
	for range maxLinks {
		// A link in the folder's name leads elsewhere than its text says.
		if folder, err := filepath.EvalSymlinks(filepath.Dir(path)); err == nil {
			path = filepath.Join(folder, filepath.Base(path))
		}
		// What the shell opened goes on where it is, and is never replaced.
		if number := descriptor.FindStringSubmatch(path); number != nil {
			if own := number[1] == "" || number[1] == strconv.Itoa(os.Getpid()); own && number[2] == "1" {
				return output{stream: a.host.Streams.Out}, nil
			} else if own && number[2] == "2" {
				return output{stream: a.host.Streams.ErrOut}, nil
			}
			return output{path: path, mode: fs.ModeIrregular}, nil
		}
		info, err := os.Lstat(path)
		switch {
		case errors.Is(err, fs.ErrNotExist):
			return output{path: path, mode: 0o644}, nil
		case err != nil:
			return output{}, err
		case info.Mode()&fs.ModeSymlink == 0:
			return output{path: path, mode: info.Mode()}, nil
		}
		target, err := os.Readlink(path)
		if err != nil {
			return output{}, err
		}
		if !filepath.IsAbs(target) {
			target = filepath.Join(filepath.Dir(path), target)
		}
		path = target
	}
	return output{}, &fs.PathError{Op: "open", Path: path, Err: errors.New("too many links")}
}

// write puts the content where the output is.
func (o output) write(ctx context.Context, content []byte) error {
	switch {
	case o.stream != nil:
		_, err := o.stream.Write(content)
		return err
	case o.mode.IsRegular():
		return o.replace(content)
	}
	// A pipe may have no reader yet.
	_, err := heed.Do(ctx, func() (struct{}, error) {
		file, err := os.OpenFile(o.path, os.O_WRONLY|os.O_APPEND, 0)
		if err != nil {
			return struct{}{}, err
		}
		_, err = file.Write(content)
		return struct{}{}, errors.Join(err, file.Close())
	})
	return err
}

// replace replaces the file in one step: whoever reads it, or includes it in a Makefile,
// finds the old content or the new, never a part.
func (o output) replace(content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(o.path), "."+filepath.Base(o.path)+".*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }()
	_, err = file.Write(content)
	if closed := file.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(file.Name(), o.mode.Perm())
	}
	if err == nil {
		err = os.Rename(file.Name(), o.path)
	}
	return err
}
