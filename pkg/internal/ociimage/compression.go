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

func isCompressed(begin []byte) bool {
	return bytes.HasPrefix(begin, gzipMagic) || bytes.HasPrefix(begin, zstdMagic)
}

// decompressed returns what r holds without gzip or zstd compression, told by how
// it begins. The caller closes it; r is left to its owner.
func decompressed(r io.Reader) (io.ReadCloser, error) {
	peeking, ok := r.(*bufio.Reader)
	if !ok {
		peeking = bufio.NewReaderSize(r, 64<<10)
	}
	begin, err := peeking.Peek(4)
	if err != nil && err != io.EOF {
		return nil, err
	}
	switch {
	case bytes.HasPrefix(begin, gzipMagic):
		plain, err := gzip.NewReader(peeking)
		if err != nil {
			return nil, fmt.Errorf("gzip: %w", err)
		}
		return plain, nil
	case bytes.HasPrefix(begin, zstdMagic):
		plain, err := zstd.NewReader(peeking, zstd.WithDecoderMaxWindow(maxWindow), zstd.WithDecoderConcurrency(1))
		if err != nil {
			return nil, fmt.Errorf("zstd: %w", err)
		}
		return plain.IOReadCloser(), nil
	}
	return io.NopCloser(peeking), nil
}
