package ociimage

import (
	"archive/tar"
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"

	"github.com/opencontainers/go-digest"
)

// Files opens an archive's files by name; fs.ErrNotExist when there is none.
type Files interface {
	Open(name string) (io.ReadCloser, error)
}

// folder is an OCI layout in a folder.
type folder struct{ fs.FS }

// Open implements Files. A pipe would keep its reader waiting.
func (f folder) Open(name string) (io.ReadCloser, error) {
	info, err := fs.Stat(f.FS, name)
	if err != nil {
		return nil, err
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%s is no regular file", name)
	}
	return f.FS.Open(name)
}

// files is a source whose files can be read in any order.
type files struct {
	resolved
	from  Files
	close func() error
}

var _ Source = (*files)(nil)

// OpenFolder returns a source of one image in an OCI layout. The source closes
// closer.
func OpenFolder(layout fs.FS, choice Choice, closer io.Closer) (Source, error) {
	return openFiles(folder{layout}, choice, closer)
}

// OpenTar returns a source of one image in an archive that is not compressed. The
// source closes closer.
func OpenTar(archive io.ReadSeeker, at io.ReaderAt, choice Choice, closer io.Closer) (Source, error) {
	indexed, err := indexTar(archive, at)
	if err != nil {
		return nil, err
	}
	return openFiles(indexed, choice, closer)
}

func openFiles(open Files, choice Choice, closer io.Closer) (Source, error) {
	found, err := resolve(func(name string) ([]byte, error) { return readSmall(open, name) }, choice)
	if err != nil {
		return nil, err
	}
	return &files{resolved: found, from: open, close: closer.Close}, nil
}

// readSmall reads a file that describes others.
func readSmall(open Files, name string) ([]byte, error) {
	file, err := open.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = file.Close() }()
	return readMetadata(file, name)
}

func readMetadata(from io.Reader, name string) ([]byte, error) {
	text, err := io.ReadAll(io.LimitReader(from, MaxMetadata+1))
	if err == nil && len(text) > MaxMetadata {
		err = tooLarge(name)
	}
	return text, err
}

func tooLarge(name string) error {
	return fmt.Errorf("%s has more than %d bytes, too many for what describes an image", name, MaxMetadata)
}

// Image implements Source.
func (f *files) Image() (Image, bool) { return f.resolved.Image, true }

// Close implements Source.
func (f *files) Close() error { return f.close() }

// Read implements Source: the lowest layer first, so that it is unpacked while
// the next one is read.
func (f *files) Read(ctx context.Context, to Receiver) (Image, error) {
	done := map[digest.Digest]bool{}
	for i, diffID := range f.DiffIDs {
		if done[diffID] {
			continue
		}
		done[diffID] = true
		wanted, err := to.Wants(ctx, diffID)
		if err != nil {
			return Image{}, err
		}
		if !wanted {
			continue
		}
		if err := f.hand(ctx, to, diffID, f.paths[i]); err != nil {
			return Image{}, err
		}
	}
	return f.resolved.Image, nil
}

func (f *files) hand(ctx context.Context, to Receiver, diffID digest.Digest, name string) error {
	file, err := f.from.Open(name)
	if err != nil {
		return fmt.Errorf("layer %s: %w", ShortID(diffID.String()), missing(err, name))
	}
	defer func() { _ = file.Close() }()
	plain, err := Decompressed(file)
	if err != nil {
		return fmt.Errorf("layer %s: %w", name, err)
	}
	defer func() { _ = plain.Close() }()
	// Content that fits its diff ID is right, whatever wrapped it.
	_, err = to.Layer(ctx, diffID, plain)
	return err
}

// maxEntries bounds the files of an archive.
const maxEntries = 100_000

// tarIndex knows where the files of a tar archive stand.
type tarIndex struct {
	at      io.ReaderAt
	entries map[string]entry
}

// entry is a file's place, or the file that it is another name of.
type entry struct {
	offset, size int64
	alias        string
}

// indexTar reads an archive's headers only: what is between is skipped by
// seeking.
func indexTar(archive io.ReadSeeker, at io.ReaderAt) (*tarIndex, error) {
	index := &tarIndex{at: at, entries: map[string]entry{}}
	reader := tar.NewReader(archive)
	for {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return index, nil
		}
		if err != nil {
			return nil, notWhole(err)
		}
		if len(index.entries) >= maxEntries {
			return nil, fmt.Errorf("more than %d files in it: no image archive", maxEntries)
		}
		name, found, err := entryOf(header)
		if err != nil {
			return nil, err
		}
		if name == "" {
			continue
		}
		if found.offset, err = archive.Seek(0, io.SeekCurrent); err != nil {
			return nil, err
		}
		index.entries[name] = found
	}
}

func notWhole(err error) error {
	if errors.Is(err, io.ErrUnexpectedEOF) {
		return errors.New("the archive is cut off before its end; create it again")
	}
	if errors.Is(err, tar.ErrHeader) {
		return fmt.Errorf("not an archive of images: %w", err)
	}
	return err
}

// entryOf returns what a header stands for, "" for nothing that counts.
func entryOf(header *tar.Header) (string, entry, error) {
	name, ok := cleanName(header.Name)
	if !ok {
		return "", entry{}, fmt.Errorf("it is not an image archive: a file in it is called %q", header.Name)
	}
	switch header.Typeflag {
	case tar.TypeReg:
		return name, entry{size: header.Size}, nil
	case tar.TypeSymlink, tar.TypeLink:
		// Older dockers save a layer that several images have once.
		target := header.Linkname
		if header.Typeflag == tar.TypeSymlink {
			target = path.Join(path.Dir(name), target)
		}
		if target, ok = cleanName(target); !ok {
			return "", entry{}, fmt.Errorf("it is not an image archive: %q in it links to %q", header.Name, header.Linkname)
		}
		return name, entry{alias: target}, nil
	}
	return "", entry{}, nil
}

// cleanName refuses names that lead out of the archive.
func cleanName(name string) (string, bool) {
	cleaned := path.Clean(name)
	return cleaned, fs.ValidPath(cleaned)
}

// Open implements Files.
func (t *tarIndex) Open(name string) (io.ReadCloser, error) {
	found, ok := t.entries[name]
	if ok && found.alias != "" {
		found, ok = t.entries[found.alias]
	}
	if !ok || found.alias != "" {
		return nil, fs.ErrNotExist
	}
	section := io.NewSectionReader(t.at, found.offset, found.size)
	return io.NopCloser(&whole{Reader: bufio.NewReaderSize(section, 256<<10), left: found.size, name: name}), nil
}

// whole is a file that has to have all its bytes.
type whole struct {
	*bufio.Reader
	left int64
	name string
}

// Read implements io.Reader.
func (w *whole) Read(p []byte) (int, error) {
	n, err := w.Reader.Read(p)
	w.left -= int64(n)
	if errors.Is(err, io.EOF) && w.left > 0 {
		return n, fmt.Errorf("%s: the archive is cut off %d bytes before its end", w.name, w.left)
	}
	return n, err
}
