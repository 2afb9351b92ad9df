package engine

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/internal/heed"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// OpenArchive returns the image in a docker archive, an OCI layout or on stdin as
// a source. Behind a path may stand :NAME of one of several images. The context ends also
// reading from a pipe that nobody writes to.
func OpenArchive(ctx context.Context, source config.Source, stdin io.Reader, nodes string) (ociimage.Source, error) {
	choice := ociimage.Choice{Platform: nodes}
	if source.Kind == config.SourceStdin {
		if stdin == nil {
			return nil, errors.New("there is no standard input to read the image from")
		}
		return named("standard input", ociimage.OpenStream(&heedful{ctx: ctx, from: stdin}, choice, ociimage.Image{},
			closing(func() error { return nil }))), nil
	}
	path, name, err := splitArchive(source.Value)
	if err != nil {
		return nil, err
	}
	choice.Name = name
	open := func() (ociimage.Source, error) { return openFile(ctx, path, choice) }
	if source.Kind == config.SourceOCI {
		open = func() (ociimage.Source, error) { return openFolder(path, choice) }
	}
	opened, err := open()
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return named(path, opened), nil
}

// splitArchive takes FILE:NAME apart. Both may have colons: the longest path that is there
// is the file.
func splitArchive(text string) (path, name string, err error) {
	for end := len(text); end > len(filepath.VolumeName(text)); end = strings.LastIndexByte(text[:end], ':') {
		_, missing := os.Stat(text[:end])
		if missing == nil || errors.Is(missing, fs.ErrPermission) {
			return text[:end], strings.TrimPrefix(text[end:], ":"), nil
		}
		err = cmp.Or(err, missing)
	}
	return "", "", err
}

// HasArchive tells whether an archive is there. One that may not be read is.
func HasArchive(source config.Source) bool {
	_, _, err := splitArchive(source.Value)
	return !errors.Is(err, fs.ErrNotExist)
}

// ArchiveFile is the file that changes with an archive's images: of an OCI layout in a
// folder its index. It is "" where the archive is not there.
func ArchiveFile(source config.Source) string {
	path, _, err := splitArchive(source.Value)
	if err == nil && source.Kind == config.SourceOCI {
		return filepath.Join(path, ocispec.ImageIndexFile)
	}
	return path
}

// CanReadAgain tells whether an archive is a file or folder, and no pipe or device.
func CanReadAgain(source config.Source) bool {
	path, _, err := splitArchive(source.Value)
	if err != nil {
		return false
	}
	info, err := os.Stat(path)
	return err == nil && (info.IsDir() || info.Mode().IsRegular())
}

// ArchiveDigest tells archives apart whose image only loading tells.
func ArchiveDigest(ctx context.Context, source config.Source) (digest.Digest, error) {
	path, _, err := splitArchive(source.Value)
	if err != nil {
		return "", err
	}
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	stop := context.AfterFunc(ctx, func() { _ = file.Close() })
	defer stop()
	sum, err := digest.FromReader(file)
	if cause := context.Cause(ctx); cause != nil {
		err = cause
	}
	return sum, errors.Join(err, ignoreClosed(file.Close()))
}

func ignoreClosed(err error) error {
	if errors.Is(err, fs.ErrClosed) {
		return nil
	}
	return err
}

func openFolder(path string, choice ociimage.Choice) (ociimage.Source, error) {
	root, err := os.OpenRoot(path)
	if err != nil {
		return nil, err
	}
	source, err := ociimage.OpenFolder(root.FS(), choice, root)
	if err != nil {
		_ = root.Close()
	}
	return source, err
}

// openFile reads an archive's files in any order if it is not compressed.
func openFile(ctx context.Context, path string, choice ociimage.Choice) (ociimage.Source, error) {
	// A named pipe is open once somebody else opens it, too.
	file, err := heed.Do(ctx, func() (*os.File, error) { return os.Open(path) })
	if err != nil {
		return nil, err
	}
	source, err := openArchive(ctx, file, choice)
	if err != nil {
		_ = file.Close()
	}
	return source, err
}

func openArchive(ctx context.Context, file *os.File, choice ociimage.Choice) (ociimage.Source, error) {
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	if info.IsDir() {
		return nil, fmt.Errorf("it is a folder; a layout in a folder is oci:%s", file.Name())
	}
	if !info.Mode().IsRegular() {
		return ociimage.OpenStream(&heedful{ctx: ctx, from: file}, choice, ociimage.Image{}, file), nil
	}
	begin := make([]byte, 262)
	n, err := io.ReadFull(file, begin)
	if err != nil && n == 0 {
		return nil, errors.New("it is empty")
	}
	if err := ociimage.Readable(begin[:n]); err != nil {
		return nil, err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return nil, err
	}
	if !bytes.HasSuffix(begin, []byte("ustar")) {
		return ociimage.OpenStream(bufio.NewReaderSize(file, 1<<20), choice, ociimage.Image{}, file), nil
	}
	return ociimage.OpenTar(file, file, choice, file)
}
