package registry

import (
	"io"
	"os"
	"sync"
	"sync/atomic"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/klauspost/compress/gzip"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// packed is a layer in a file, compressed. The file has no name where a system can do without,
// so that nothing is left of a run that is killed.
type packed struct {
	file    *os.File
	discard func()
	blob    ocispec.Descriptor
	diffID  digest.Digest
}

var _ v1.Layer = (*packed)(nil)

// pack compresses a layer. What it returns beside an error has a file to be discarded.
func pack(content io.Reader) (*packed, error) {
	file, err := os.CreateTemp("", "e2eimage-layer-*")
	if err != nil {
		return nil, err
	}
	// Windows keeps the name of an open file.
	keeps := os.Remove(file.Name()) != nil
	p := &packed{file: file, discard: sync.OnceFunc(func() {
		_ = file.Close()
		if keeps {
			_ = os.Remove(file.Name())
		}
	})}
	plain, wrapped, size := digest.Canonical.Digester(), digest.Canonical.Digester(), counter(0)
	// Fast, as all engines and tools that push do it.
	compress, err := gzip.NewWriterLevel(io.MultiWriter(file, wrapped.Hash(), &size), gzip.BestSpeed)
	if err != nil {
		return p, err
	}
	if _, err = io.CopyBuffer(io.MultiWriter(plain.Hash(), compress), struct{ io.Reader }{content},
		make([]byte, 1<<20)); err != nil {
		return p, err
	}
	if err := compress.Close(); err != nil {
		return p, err
	}
	p.diffID = plain.Digest()
	p.blob = ocispec.Descriptor{
		MediaType: ocispec.MediaTypeImageLayerGzip, Digest: wrapped.Digest(), Size: int64(size),
	}
	return p, nil
}

// Digest implements v1.Layer.
func (p *packed) Digest() (v1.Hash, error) { return hash(p.blob.Digest) }

// DiffID implements v1.Layer.
func (p *packed) DiffID() (v1.Hash, error) { return hash(p.diffID) }

// Compressed implements v1.Layer.
func (p *packed) Compressed() (io.ReadCloser, error) {
	return io.NopCloser(io.NewSectionReader(p.file, 0, p.blob.Size)), nil
}

// Uncompressed implements v1.Layer.
func (p *packed) Uncompressed() (io.ReadCloser, error) {
	compressed, err := p.Compressed()
	if err != nil {
		return nil, err
	}
	return gzip.NewReader(compressed)
}

// Size implements v1.Layer.
func (p *packed) Size() (int64, error) { return p.blob.Size, nil }

// MediaType implements v1.Layer.
func (p *packed) MediaType() (types.MediaType, error) { return types.MediaType(p.blob.MediaType), nil }

// counter counts what is written.
type counter int64

// Write implements io.Writer.
func (c *counter) Write(p []byte) (int, error) {
	*c += counter(len(p))
	return len(p), nil
}

// needed is content that ends as soon as nobody needs the rest.
type needed struct {
	io.Reader
	end func() error
}

// Read implements io.Reader.
func (n *needed) Read(p []byte) (int, error) {
	if err := n.end(); err != nil {
		return 0, err
	}
	return n.Reader.Read(p)
}

// sized is a layer whose size is known without asking for it.
type sized struct {
	v1.Layer
	size int64
}

// Size implements v1.Layer.
func (s sized) Size() (int64, error) { return s.size, nil }

// counted is a layer that tells what of it is read. What is read again counts once.
type counted struct {
	v1.Layer
	watch Watcher

	mu   sync.Mutex
	last *counting
}

// Compressed implements v1.Layer.
func (c *counted) Compressed() (io.ReadCloser, error) {
	content, err := c.Layer.Compressed()
	if err != nil {
		return nil, err
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.last != nil {
		c.watch(-c.last.bytes.Load())
	}
	c.last = &counting{ReadCloser: content, watch: c.watch}
	return c.last, nil
}

type counting struct {
	io.ReadCloser
	watch Watcher
	bytes atomic.Int64
}

// Read implements io.Reader.
func (c *counting) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	if n > 0 {
		c.bytes.Add(int64(n))
		c.watch(int64(n))
	}
	return n, err
}
