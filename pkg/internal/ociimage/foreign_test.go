package ociimage

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
)

// begins are how content begins that other tools compressed, padded as it goes on.
func begins() map[string]string {
	return map[string]string{
		"xz -dc": "\xfd7zXZ\x00\x00\x04", "bzip2 -dc": "BZh91AY&SY", "unzip -p": "PK\x03\x04\x14", "7z x -so": "7z\xbc\xaf\x27\x1c\x00",
		"lz4 -dc": "\x04\x22\x4d\x18d", "lzip -dc": "LZIP\x01", "gzip -dc": "\x1f\x9d\x90", "unrar p -inul": "Rar!\x1a\x07\x01\x00",
		"lzop -dc": "\x89LZO\x00\r\n\x1a\n", "snzip -dc": "\xff\x06\x00\x00sNaPpY",
	}
}

func TestOtherCompressionsAreNamedWithWhatToType(t *testing.T) {
	t.Parallel()
	for command, begin := range begins() {
		packed := begin + strings.Repeat("\x07", 4096)
		_, err := OpenStream(strings.NewReader(packed), Choice{}, Image{}, io.NopCloser(nil)).Read(t.Context(), newSink())
		var foreign *CompressionError
		if !errors.As(err, &foreign) || !strings.Contains(err.Error(), command+" FILE | kubectl e2eimage load --source -") {
			t.Errorf("%s: %v", command, err)
		}
		// A layer of an archive, too.
		if _, err := read(t, tarOf(t, layoutOf(t, packed, high(t))...), Choice{}); !errors.As(err, &foreign) {
			t.Errorf("a layer for %s: %v", command, err)
		}
	}
}

func TestFilesThatAreCalledLikeACompressionAreNone(t *testing.T) {
	t.Parallel()
	for _, name := range []string{"BZh9.txt", "BZh", "PK", "LZIP", "7z", "Rar!", "]", "-lh5-"} {
		layer := string(tarOf(t, file{name: name, text: "x"}))
		plain, err := Decompressed(strings.NewReader(layer))
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		got, err := io.ReadAll(plain)
		if err != nil || digest.FromBytes(got) != digest.FromString(layer) {
			t.Errorf("%s: read %d bytes, %v", name, len(got), err)
		}
	}
	if _, err := Decompressed(bytes.NewReader([]byte("BZ"))); err != nil {
		t.Error(err)
	}
}
