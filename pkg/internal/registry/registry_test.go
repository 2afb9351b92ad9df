package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// server is a registry of go-containerregistry that notes what it is asked, and fails as it is
// told to.
type server struct {
	host string

	mu    sync.Mutex
	asked []string
	// fail answers in the registry's place where it returns true.
	fail func(w http.ResponseWriter, r *http.Request) bool
}

func serve(t *testing.T) *server {
	t.Helper()
	s := &server{}
	real := registry.New(registry.Logger(log.New(io.Discard, "", 0)))
	http := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		if r.URL.Path != "/v2/" {
			s.asked = append(s.asked, r.Method+" "+r.URL.Path)
		}
		fail := s.fail
		s.mu.Unlock()
		if fail == nil || !fail(w, r) {
			real.ServeHTTP(w, r)
		}
	}))
	t.Cleanup(http.Close)
	where, err := url.Parse(http.URL)
	if err != nil {
		t.Fatal(err)
	}
	s.host = where.Host
	return s
}

func (s *server) failing(fail func(w http.ResponseWriter, r *http.Request) bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.fail = fail
}

// since returns what it was asked after the last time, by method and kind.
func (s *server) since() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	asked := s.asked
	s.asked = nil
	return asked
}

// pushes are the uploads that were begun since the last time.
func (s *server) pushes() int {
	begun := 0
	for _, one := range s.since() {
		if strings.HasPrefix(one, "PATCH ") {
			begun++
		}
	}
	return begun
}

func (s *server) open(t *testing.T) *Store {
	t.Helper()
	store, err := Open(Options{Host: s.host, UserAgent: "e2eimage-test", Retry: time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(store.Close)
	return store
}

// layer is a layer of one file, without compression.
func layer(t *testing.T, file, content string) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	err := w.WriteHeader(&tar.Header{Name: file, Mode: 0o644, Size: int64(len(content)), Typeflag: tar.TypeReg})
	if err == nil {
		_, err = io.WriteString(w, content)
	}
	if err == nil {
		err = w.Close()
	}
	if err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

// image is one as a builder makes it.
type image struct {
	platform string
	layers   [][]byte
	// label tells images with the same layers apart.
	label string
}

func (i image) config(t *testing.T) []byte {
	t.Helper()
	os, architecture, _ := strings.Cut(i.platform, "/")
	config := ocispec.Image{
		Platform: ocispec.Platform{OS: os, Architecture: architecture},
		Config:   ocispec.ImageConfig{Labels: map[string]string{"label": i.label}},
		RootFS:   ocispec.RootFS{Type: "layers", DiffIDs: []digest.Digest{}},
	}
	for _, layer := range i.layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromBytes(layer))
	}
	return encode(t, config)
}

func (i image) id(t *testing.T) digest.Digest {
	t.Helper()
	return digest.FromBytes(i.config(t))
}

func encode(t *testing.T, value any) []byte {
	t.Helper()
	text, err := json.Marshal(value)
	if err != nil {
		t.Fatal(err)
	}
	return text
}

// folder is an OCI layout.
type folder fstest.MapFS

func (f folder) blob(mediaType string, text []byte) ocispec.Descriptor {
	d := digest.FromBytes(text)
	f["blobs/sha256/"+d.Encoded()] = &fstest.MapFile{Data: text}
	return ocispec.Descriptor{MediaType: mediaType, Digest: d, Size: int64(len(text))}
}

func (f folder) image(t *testing.T, i image) ocispec.Descriptor {
	t.Helper()
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: f.blob(ocispec.MediaTypeImageConfig, i.config(t)),
	}
	for _, layer := range i.layers {
		manifest.Layers = append(manifest.Layers, f.blob(ocispec.MediaTypeImageLayer, layer))
	}
	described := f.blob(ocispec.MediaTypeImageManifest, encode(t, manifest))
	os, architecture, _ := strings.Cut(i.platform, "/")
	described.Platform = &ocispec.Platform{OS: os, Architecture: architecture}
	return described
}

// attestation is what buildx puts beside an image.
func (f folder) attestation(t *testing.T, of ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	manifest := ocispec.Manifest{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageManifest,
		Config: f.blob(ocispec.MediaTypeImageConfig, encode(t, ocispec.Image{Platform: ocispec.Platform{OS: "unknown", Architecture: "unknown"}})),
		Layers: []ocispec.Descriptor{f.blob("application/vnd.in-toto+json", []byte(`{"of":"`+of.Digest.String()+`"}`))},
	}
	described := f.blob(ocispec.MediaTypeImageManifest, encode(t, manifest))
	described.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"}
	described.Annotations = map[string]string{
		"vnd.docker.reference.type": "attestation-manifest", "vnd.docker.reference.digest": of.Digest.String(),
	}
	return described
}

func (f folder) index(t *testing.T, entries ...ocispec.Descriptor) ocispec.Descriptor {
	t.Helper()
	return f.blob(ocispec.MediaTypeImageIndex, encode(t, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: ocispec.MediaTypeImageIndex, Manifests: entries,
	}))
}

func (f folder) source(t *testing.T, root ocispec.Descriptor) ociimage.Source {
	t.Helper()
	f["index.json"] = &fstest.MapFile{Data: encode(t, ocispec.Index{
		Versioned: specs.Versioned{SchemaVersion: 2}, Manifests: []ocispec.Descriptor{root},
	})}
	source, err := ociimage.OpenFolder(fstest.MapFS(f), ociimage.Choice{Platform: "linux/amd64"}, io.NopCloser(nil))
	if err != nil {
		t.Fatal(err)
	}
	return source
}

// single is a source of one image of one platform.
func single(t *testing.T, i image) ociimage.Source {
	t.Helper()
	f := folder{}
	return f.source(t, f.image(t, i))
}

// deliver brings an image into a repository by its layers, and returns how much went there.
func (s *Store) deliver(ctx context.Context, repository string, source ociimage.Source, bases ...Content) (Content, *Delivery, error) {
	known, _ := source.Image()
	has, err := s.Layers(ctx, repository, known.DiffIDs, bases...)
	if err != nil {
		return Content{}, nil, err
	}
	delivery, err := s.Deliver(ctx, repository, has, nil)
	if err != nil {
		return Content{}, nil, err
	}
	image, err := source.Read(ctx, delivery)
	if err != nil {
		delivery.Abort()
		return Content{}, delivery, err
	}
	content, err := delivery.Finish(ctx, image)
	return content, delivery, err
}

func must[T any](t *testing.T) func(T, error) T {
	return func(value T, err error) T {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		return value
	}
}

func platforms(content Content) []string {
	var all []string
	for _, image := range content.Images {
		all = append(all, image.Platform)
	}
	return all
}

func mustStored(t *testing.T, source ociimage.Source) ociimage.Stored {
	t.Helper()
	stored, ok := ociimage.StoredIn(source)
	if !ok {
		t.Fatal("it is no layout")
	}
	return stored
}
