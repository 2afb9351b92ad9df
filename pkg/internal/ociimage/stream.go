package ociimage

import (
	"archive/tar"
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/go-digest"
)

// maxStreamMetadata bounds all small files of a stream together, in bytes.
const maxStreamMetadata = 64 << 20

// stream is a source that is read once, from its beginning to its end. What
// describes the image may come last.
type stream struct {
	from   io.Reader
	close  func() error
	choice Choice
	known  Image

	small map[string][]byte
	// large are those that are too large to describe an image.
	large map[string]bool
	kept  int
	alias map[string]string
	// layers are the digests of the layers that came, by file name.
	layers map[string]digest.Digest
}

var _ Source = (*stream)(nil)

// OpenStream returns a source of one image in an archive of any format that
// comes in one pass, compressed or not. known is what an engine says of the image
// that it sends, or nothing. The source closes closer.
func OpenStream(from io.Reader, choice Choice, known Image, closer io.Closer) Source {
	return &stream{
		from: from, choice: choice, known: known, close: closer.Close,
		small: map[string][]byte{}, large: map[string]bool{}, alias: map[string]string{}, layers: map[string]digest.Digest{},
	}
}

// Image implements Source.
func (s *stream) Image() (Image, bool) { return s.known, s.known.ID != "" || len(s.known.DiffIDs) > 0 }

// Close implements Source.
func (s *stream) Close() error { return s.close() }

// Read implements Source.
func (s *stream) Read(ctx context.Context, to Receiver) (Image, error) {
	from := interruptible(ctx, s.from)
	defer func() { _ = from.Close() }()
	plain, err := Decompressed(from)
	if err != nil {
		return Image{}, err
	}
	defer func() { _ = plain.Close() }()
	if err := s.entries(ctx, tar.NewReader(plain), to); err != nil {
		return Image{}, err
	}
	// A sender that fails says so at the end only.
	if _, err := io.Copy(io.Discard, plain); err != nil {
		return Image{}, err
	}
	found, err := resolve(s.metadata, s.choice)
	if err != nil {
		return Image{}, err
	}
	for i, name := range found.paths {
		if err := s.check(ctx, to, s.target(name), found.DiffIDs[i]); err != nil {
			return Image{}, err
		}
	}
	return found.Image, nil
}

// interruptible returns a reader that ends with ctx, also while r gives nothing.
func interruptible(ctx context.Context, r io.Reader) io.ReadCloser {
	reader, writer := io.Pipe()
	stop := context.AfterFunc(ctx, func() { _ = writer.CloseWithError(context.Cause(ctx)) })
	go func() {
		defer stop()
		// Reader and writer would pass the copying on, with small buffers.
		_, err := io.CopyBuffer(struct{ io.Writer }{writer}, struct{ io.Reader }{r}, make([]byte, 1<<20))
		_ = writer.CloseWithError(err)
	}()
	return reader
}

// check makes sure that a layer of the image came, or is not needed.
func (s *stream) check(ctx context.Context, to Receiver, name string, diffID digest.Digest) error {
	got, came := s.layers[name]
	switch {
	case came && got != diffID && name != blobPath(got):
		return &ContentError{What: "layer " + name, Want: diffID, Got: got}
	case came && got == diffID:
		return nil
	}
	wanted, err := to.Wants(ctx, diffID)
	if err == nil && wanted {
		err = fmt.Errorf("layer %s is not in it: cut off?", name)
	}
	return err
}

func (s *stream) target(name string) string {
	if target, ok := s.alias[name]; ok {
		return target
	}
	return name
}

func (s *stream) metadata(name string) ([]byte, error) {
	if text, ok := s.small[name]; ok {
		return text, nil
	}
	if s.large[name] {
		return nil, tooLarge(name)
	}
	return nil, fs.ErrNotExist
}

func (s *stream) entries(ctx context.Context, reader *tar.Reader, to Receiver) error {
	for count := 0; ; count++ {
		header, err := reader.Next()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return notWhole(err)
		}
		if count >= maxEntries {
			return fmt.Errorf("more than %d files in it: no image archive", maxEntries)
		}
		name, found, err := entryOf(header)
		switch {
		case err != nil:
			return err
		case name == "":
			continue
		case found.alias != "":
			s.alias[name] = found.alias
			continue
		}
		if err := s.file(ctx, name, reader, to); err != nil {
			return err
		}
	}
}

// file keeps what describes images and hands layers over.
func (s *stream) file(ctx context.Context, name string, content io.Reader, to Receiver) error {
	peeking := bufio.NewReaderSize(content, 64<<10)
	begin, err := peeking.Peek(512)
	if err != nil && !errors.Is(err, io.EOF) {
		return fmt.Errorf("%s: the archive is cut off: %w", name, err)
	}
	if isJSON(begin) {
		text, err := io.ReadAll(io.LimitReader(peeking, MaxMetadata+1))
		if err != nil {
			return notWhole(err)
		}
		if s.kept += len(text); len(text) > MaxMetadata || s.kept > maxStreamMetadata {
			// An attestation, perhaps. If it is needed, it will be missed.
			s.large[name] = true
			s.kept -= len(text)
			return nil
		}
		s.small[name] = text
		return nil
	}
	if !mayBeLayer(name) {
		return nil
	}
	claim := s.claim(name)
	if isCompressed(begin) {
		// Its name says the digest of what wraps the layer.
		claim = ""
	}
	wanted, err := to.Wants(ctx, claim)
	if err != nil {
		return err
	}
	if !wanted {
		if claim != "" {
			s.layers[name] = claim
		}
		return nil
	}
	plain, err := Decompressed(peeking)
	if err != nil {
		return fmt.Errorf("%s: %w", name, err)
	}
	defer func() { _ = plain.Close() }()
	expected := claim
	if !slices.Contains(s.known.DiffIDs, claim) {
		expected = ""
	}
	s.layers[name], err = to.Layer(ctx, expected, plain)
	if errors.Is(err, io.ErrUnexpectedEOF) {
		err = notWhole(err)
	}
	return err
}

// isJSON tells a description from a layer, whose first file may be called "{".
func isJSON(begin []byte) bool {
	text := bytes.TrimLeft(begin, " \t\r\n")
	isTar := len(begin) >= 262 && string(begin[257:262]) == "ustar"
	return !isTar && len(text) > 0 && (text[0] == '{' || text[0] == '[')
}

// mayBeLayer knows the names that layers have: blobs of a layout, and what docker
// and podman call them in archives.
func mayBeLayer(name string) bool {
	return strings.HasPrefix(name, "blobs/") || strings.HasSuffix(name, ".tar") || strings.HasSuffix(name, ".tar.gz")
}

// claim is the digest that a layer's name says, "" for none. It may be a digest
// of something else, such as the compressed blob or docker's old layer IDs; but
// content that a node has under that digest is nothing else.
func (s *stream) claim(name string) digest.Digest {
	base := strings.TrimSuffix(strings.TrimSuffix(path.Base(name), ".gz"), ".tar")
	if base == "layer" {
		base = path.Base(path.Dir(name))
	}
	if id, ok := ParseImageID(base); ok {
		return digest.Digest(id)
	}
	return ""
}
