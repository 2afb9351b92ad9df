package ociimage

import (
	"bytes"
	"fmt"
)

// CompressionError says that content is compressed in a way that is not read.
type CompressionError struct {
	// By is what compressed it; Command is what it takes to write it to standard output.
	By, Command string
}

func (e *CompressionError) Error() string {
	return fmt.Sprintf("it is compressed with %s; only gzip and zstd can be read\n"+
		"unpack it on the way: %s FILE | kubectl e2eimage load --source -", e.By, e.Command)
}

// maxMagic is how many bytes it takes to know how content is compressed.
const maxMagic = 10

// Readable tells, by how content begins, whether it is compressed in a way that is not
// read. A tar archive begins with the name of a file, and may be called "BZh9.txt".
func Readable(begin []byte) error {
	for _, known := range []struct {
		magic string
		CompressionError
	}{
		{"\xfd7zXZ\x00", CompressionError{"xz", "xz -dc"}},
		{"LZIP\x01", CompressionError{"lzip", "lzip -dc"}},
		{"\x04\x22\x4d\x18", CompressionError{"lz4", "lz4 -dc"}},
		{"\x89LZO\x00\r\n\x1a\n", CompressionError{"lzop", "lzop -dc"}},
		{"\xff\x06\x00\x00sNaPpY", CompressionError{"snappy", "snzip -dc"}},
		{"\x1f\x9d", CompressionError{"compress", "gzip -dc"}},
		{"PK\x03\x04", CompressionError{"zip", "unzip -p"}},
		{"7z\xbc\xaf\x27\x1c", CompressionError{"7z", "7z x -so"}},
		{"Rar!\x1a\x07", CompressionError{"rar", "unrar p -inul"}},
	} {
		if bytes.HasPrefix(begin, []byte(known.magic)) {
			return &known.CompressionError
		}
	}
	// BZh, the size of its blocks, and the digits of pi.
	if len(begin) >= 10 && bytes.HasPrefix(begin, []byte("BZh")) && string(begin[4:10]) == "1AY&SY" {
		return &CompressionError{"bzip2", "bzip2 -dc"}
	}
	return nil
}
