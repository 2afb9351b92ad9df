package config

import (
	"fmt"
	"regexp"
	"strings"
	"unicode"

	"github.com/distribution/reference"
)

// SourceKind tells what a source is.
type SourceKind string

// Kinds of sources.
const (
	// SourceReference is an engine's image by name.
	SourceReference SourceKind = "reference"
	// SourceID is an engine's image by ID, "sha256:<64 hex>".
	SourceID SourceKind = "id"
	// SourceDockerArchive is a file as `docker save` writes it.
	SourceDockerArchive SourceKind = "docker-archive"
	// SourceOCI is an OCI layout in a folder.
	SourceOCI SourceKind = "oci"
	// SourceOCIArchive is an OCI layout in a tar file.
	SourceOCIArchive SourceKind = "oci-archive"
	// SourceStdin is an archive on standard input.
	SourceStdin SourceKind = "-"
)

// Source is where a built image comes from.
type Source struct {
	Kind SourceKind
	// Value is the reference, the ID, or the path.
	Value string
}

var sourceID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)

// ParseSource understands `localhost/x:y`, `sha256:…`, `docker-archive:FILE`,
// `oci:FOLDER`, `oci-archive:FILE` and `-`.
func ParseSource(text string) (Source, error) {
	if text == "-" {
		return Source{Kind: SourceStdin}, nil
	}
	if strings.ContainsFunc(text, unicode.IsControl) {
		return Source{}, fmt.Errorf("source %s has control characters", quote(text))
	}
	for _, kind := range []SourceKind{SourceDockerArchive, SourceOCI, SourceOCIArchive} {
		if path, ok := strings.CutPrefix(text, string(kind)+":"); ok {
			if path == "" {
				return Source{}, fmt.Errorf("source %q lacks the path", text)
			}
			return Source{Kind: kind, Value: path}, nil
		}
	}
	if sourceID.MatchString(text) {
		return Source{Kind: SourceID, Value: "sha256:" + strings.TrimPrefix(text, "sha256:")}, nil
	}
	if digits, ok := strings.CutPrefix(text, "sha256:"); ok {
		return Source{},
			fmt.Errorf("source %s is no image ID: sha256: and 64 lowercase hex digits, but these are %d characters",
				quote(text), len(digits))
	}
	if _, err := reference.ParseNormalizedNamed(text); err != nil {
		return Source{}, fmt.Errorf("source %s is neither an image reference nor sha256:…, docker-archive:FILE, "+
			"oci:FOLDER, oci-archive:FILE or -: %s", quote(text), harmless(err))
	}
	return Source{Kind: SourceReference, Value: text}, nil
}

// IsArchive tells whether the source is a file or folder of this host.
func (s Source) IsArchive() bool {
	return s.Kind == SourceDockerArchive || s.Kind == SourceOCI || s.Kind == SourceOCIArchive
}

// Nameable tells why nodes cannot have an image under the name that the source says, nil
// if they can, or if it says none. Nodes get another manifest than the source has, so that
// containerd and the kubelet would not find the image by the digest of that one.
func (s Source) Nameable() error {
	if s.Kind != SourceReference {
		return nil
	}
	if bare, _, digested := strings.Cut(s.Value, "@"); digested {
		return fmt.Errorf("%s has a digest, but on nodes the image has another digest, so no pod would find it; write %s",
			quote(s.Value), bare)
	}
	return nil
}
