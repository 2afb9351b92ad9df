package engine

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"strconv"
	"sync"
	"time"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// sink is a registry that an engine pushes to: as much of the distribution
// specification (github.com/opencontainers/distribution-spec, v1.1) as a push needs. It
// listens on the loopback interface, wants a password that is drawn for each push, and
// keeps nothing but manifests.
type sink struct {
	address, user, password string
	server                  *http.Server

	mu sync.Mutex
	// blobs is who is asked by the push that is under way.
	blobs blobs
	// manifests that it brought.
	manifests map[digest.Digest][]byte
	// tagged is the manifest or index that was pushed last by a tag.
	tagged digest.Digest
	// failed is the first error of blobs: the engine does not pass it on.
	failed error
}

// blobs are what becomes of a push's blobs.
type blobs interface {
	// has tells whether a blob need not come.
	has(context.Context, digest.Digest) (bool, error)
	// take gets a blob that comes, and checks its digest.
	take(context.Context, digest.Digest, io.Reader) error
}

// headerLimit ends connections that ask for nothing.
const headerLimit = 10 * time.Second

// listen starts a sink.
func listen(ctx context.Context) (*sink, error) {
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	s := &sink{address: listener.Addr().String(), user: "e2eimage", password: rand.Text()}
	s.server = &http.Server{Handler: s, ReadHeaderTimeout: headerLimit}
	go func() { _ = s.server.Serve(listener) }()
	return s, nil
}

// expect makes it ready for a push.
func (s *sink) expect(blobs blobs) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.blobs, s.manifests, s.tagged, s.failed = blobs, map[digest.Digest][]byte{}, "", nil
}

func (s *sink) asked() blobs {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blobs
}

// Close ends all requests.
func (s *sink) Close() error { return s.server.Close() }

// fail keeps the first error.
func (s *sink) fail(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.failed == nil {
		s.failed = err
	}
}

func (s *sink) err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed
}

// routes of the specification; an upload needs no ID, since each has its own digest.
var (
	blobPath     = regexp.MustCompile(`^/v2/[a-z0-9/]+/blobs/([a-z0-9]+:[0-9a-f]+)$`)
	uploadPath   = regexp.MustCompile(`^/v2/[a-z0-9/]+/blobs/uploads/$`)
	manifestPath = regexp.MustCompile(`^/v2/[a-z0-9/]+/manifests/([A-Za-z0-9_.:-]+)$`)
)

// ServeHTTP implements http.Handler.
func (s *sink) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if subtle.ConstantTimeCompare([]byte(user+":"+password), []byte(s.user+":"+s.password)) != 1 {
		w.Header().Set("WWW-Authenticate", `Basic realm="kubectl e2eimage"`)
		w.WriteHeader(http.StatusUnauthorized)
		return
	}
	path := r.URL.Path
	switch {
	case path == "/v2/":
		w.WriteHeader(http.StatusOK)
	case r.Method == http.MethodHead && blobPath.MatchString(path):
		s.head(w, r, digest.Digest(blobPath.FindStringSubmatch(path)[1]))
	case r.Method == http.MethodPost && uploadPath.MatchString(path):
		w.Header().Set("Location", "http://"+s.address+path)
		w.Header().Set("Range", "0-0")
		w.WriteHeader(http.StatusAccepted)
	case r.Method == http.MethodPut && uploadPath.MatchString(path):
		s.upload(w, r)
	case r.Method == http.MethodPut && manifestPath.MatchString(path):
		s.manifest(w, r, manifestPath.FindStringSubmatch(path)[1])
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

func (s *sink) head(w http.ResponseWriter, r *http.Request, blob digest.Digest) {
	has, err := s.asked().has(r.Context(), blob)
	switch {
	case err != nil:
		s.fail(err)
		w.WriteHeader(http.StatusInternalServerError)
	case has:
		w.Header().Set("Docker-Content-Digest", blob.String())
		w.Header().Set("Content-Length", "0")
		w.WriteHeader(http.StatusOK)
	default:
		w.WriteHeader(http.StatusNotFound)
	}
}

// upload takes a blob in one piece.
func (s *sink) upload(w http.ResponseWriter, r *http.Request) {
	blob, err := digest.Parse(r.URL.Query().Get("digest"))
	if err == nil {
		err = s.asked().take(r.Context(), blob, r.Body)
	}
	if err != nil {
		s.fail(err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Docker-Content-Digest", blob.String())
	w.WriteHeader(http.StatusCreated)
}

// maxManifests bounds how many manifests an image may have.
const maxManifests = 1000

func (s *sink) manifest(w http.ResponseWriter, r *http.Request, reference string) {
	text, err := io.ReadAll(io.LimitReader(r.Body, ociimage.MaxMetadata+1))
	switch {
	case err != nil:
	case len(text) > ociimage.MaxMetadata:
		err = errors.New("a manifest is larger than any image has")
	case s.keep(reference, text) > maxManifests:
		err = fmt.Errorf("more than %d manifests", maxManifests)
	}
	if err != nil {
		s.fail(err)
		w.WriteHeader(http.StatusBadRequest)
		return
	}
	w.Header().Set("Docker-Content-Digest", digest.FromBytes(text).String())
	w.Header().Set("Content-Length", strconv.Itoa(0))
	w.WriteHeader(http.StatusCreated)
}

// keep notes a manifest and returns how many there are.
func (s *sink) keep(reference string, text []byte) int {
	s.mu.Lock()
	defer s.mu.Unlock()
	d := digest.FromBytes(text)
	s.manifests[d] = text
	if reference != d.String() {
		s.tagged = d
	}
	return len(s.manifests)
}
