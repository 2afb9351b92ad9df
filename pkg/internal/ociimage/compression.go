package ociimage

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"fmt"
	"io"

	"github.com/klauspost/compress/zstd"
)

// maxWindow bounds the memory that a zstd stream can ask for, in bytes.
const maxWindow = 128 << 20

// How compressed content begins (RFC 1952, RFC 8878).
var gzipMagic, zstdMagic = []byte{0x1f, 0x8b}, []byte{0x28, 0xb5, 0x2f, 0xfd}

// Content that grows more than maxRatio times by decompression, once it is larger
// than ratioFrom bytes, is taken for an attack on the nodes' disks. gzip makes at
// most 1032 times more, of zeros; what people have in images does not come near.
const (
	maxRatio  = 250
	ratioFrom = 256 << 20
)

func isCompressed(begin []byte) bool {
	return bytes.HasPrefix(begin, gzipMagic) || bytes.HasPrefix(begin, zstdMagic)
}

// Decompressed returns what r holds without gzip or zstd compression, told by how
// it begins. The caller closes it; r is left to its owner.
func Decompressed(r io.Reader) (io.ReadCloser, error) {
	peeking, ok := r.(*bufio.Reader)
	if !ok {
		peeking = bufio.NewReaderSize(r, 64<<10)
	}
	begin, err := peeking.Peek(maxMagic)
	if err != nil && err != io.EOF {
		return nil, err
	}
	if err := Readable(begin); err != nil {
		return nil, err
	}
	packed := &counter{Reader: peeking}
	switch {
	case bytes.HasPrefix(begin, gzipMagic):
		plain, err := gzip.NewReader(packed)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return &bounded{ReadCloser: plain, packed: packed}, nil
	case bytes.HasPrefix(begin, zstdMagic):
		plain, err := zstd.NewReader(packed, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return &bounded{ReadCloser: plain.IOReadCloser(), packed: packed}, nil
	}
	return io.NopCloser(peeking), nil
}

// counter counts what is read.
type counter struct {
	io.Reader
	bytes int64
}

// Read implements io.Reader.
func (c *counter) Read(p []byte) (int, error) {
	n, err := c.Reader.Read(p)
	c.bytes += int64(n)
	return n, err
}

// bounded ends decompressing where it makes too much of too little.
type bounded struct {
	io.ReadCloser
	packed *counter
	bytes  int64
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	b.bytes += int64(n)
	if b.bytes > ratioFrom && b.bytes/maxRatio > b.packed.bytes {
		return n,
			fmt.Errorf("%d bytes of it unpack to more than %d, which no real image does; if it is yours, load it uncompressed",
				b.packed.bytes, b.bytes)
	}
	return n, err
}
