package ociimage

import (
	"io"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// Stored is a source whose manifests and blobs can be had as they were written, those of all
// platforms: an OCI layout.
type Stored interface {
	// Root is what the image's name stands for where it comes from: an index, or a manifest. ok
	// is false where there is neither, as in a docker archive.
	Root() (root ocispec.Descriptor, ok bool)
	// Open opens a blob by its digest; fs.ErrNotExist when it is not there.
	Open(blob digest.Digest) (io.ReadCloser, error)
}

// StoredIn returns what a source, or one that it wraps, has stored.
func StoredIn(source Source) (Stored, bool) {
	for source != nil {
		if stored, ok := source.(Stored); ok {
			_, ok = stored.Root()
			return stored, ok
		}
		wrapping, ok := source.(interface{ Unwrap() Source })
		if !ok {
			break
		}
		source = wrapping.Unwrap()
	}
	return nil, false
}

var _ Stored = (*files)(nil)

// Root implements Stored.
func (f *files) Root() (ocispec.Descriptor, bool) { return f.root, f.root.Digest != "" }

// Open implements Stored.
func (f *files) Open(blob digest.Digest) (io.ReadCloser, error) { return f.from.Open(blobPath(blob)) }
