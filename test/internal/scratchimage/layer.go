package scratchimage

import (
	"compress/gzip"
	"crypto/sha256"
	"encoding/hex"
	"io"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"
)

// plainLayer is a layer that is not compressed, which is how engines export
// layers; compressing what stays on one machine only costs time.
type plainLayer struct {
	open tarball.Opener
	hash v1.Hash
	size int64
}

var _ v1.Layer = plainLayer{}

func newLayer(open tarball.Opener, compress bool) (v1.Layer, error) {
	if compress {
		return tarball.LayerFromOpener(open, tarball.WithCompressionLevel(gzip.BestSpeed))
	}
	content, err := open()
	if err != nil {
		return nil, err
	}
	defer content.Close()
	sum := sha256.New()
	size, err := io.Copy(sum, content)
	if err != nil {
		return nil, err
	}
	hash := v1.Hash{Algorithm: "sha256", Hex: hex.EncodeToString(sum.Sum(nil))}
	return plainLayer{open: open, hash: hash, size: size}, nil
}

// Digest implements v1.Layer.
func (l plainLayer) Digest() (v1.Hash, error) { return l.hash, nil }

// DiffID implements v1.Layer.
func (l plainLayer) DiffID() (v1.Hash, error) { return l.hash, nil }

// Compressed implements v1.Layer.
func (l plainLayer) Compressed() (io.ReadCloser, error) { return l.open() }

// Uncompressed implements v1.Layer.
func (l plainLayer) Uncompressed() (io.ReadCloser, error) { return l.open() }

// Size implements v1.Layer.
func (l plainLayer) Size() (int64, error) { return l.size, nil }

// MediaType implements v1.Layer.
func (l plainLayer) MediaType() (types.MediaType, error) { return types.DockerUncompressedLayer, nil }
