package registry

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// guard keeps within bounds what goes to a registry and what comes back: nothing goes over
// plain http where that was not said, also not where a registry sends somebody on to; and what
// describes images is small.
type guard struct {
	next http.RoundTripper
	// plain are the hosts for which plain http was said.
	plain map[string]bool
}

// RoundTrip implements http.RoundTripper.
func (g *guard) RoundTrip(request *http.Request) (*http.Response, error) {
	if request.URL.Scheme == "http" && !isLoopback(request.URL.Host) && !g.plain[request.URL.Host] {
		return nil, &plainError{host: request.URL.Host}
	}
	response, err := g.next.RoundTrip(request)
	if err != nil || request.Method != http.MethodGet || request.Context().Value(layersKey{}) != nil {
		return response, err
	}
	if response.ContentLength > ociimage.MaxMetadata {
		_ = response.Body.Close()
		return nil, &tooLargeError{path: request.URL.Path}
	}
	response.Body = &bounded{ReadCloser: response.Body, left: ociimage.MaxMetadata, path: request.URL.Path}
	return response, nil
}

// layersKey marks the context of those who read layers, which may be large.
type layersKey struct{}

func readingLayers(ctx context.Context) context.Context {
	return context.WithValue(ctx, layersKey{}, true)
}

// isLoopback tells whether a host, with its port or without, is this machine.
func isLoopback(host string) bool {
	if bare, _, err := net.SplitHostPort(host); err == nil {
		host = bare
	}
	host = strings.ToLower(strings.Trim(host, "[]"))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

type plainError struct{ host string }

func (e *plainError) Error() string {
	return fmt.Sprintf("plain http to %s was refused: it is only for loopback and where it is said", e.host)
}

// bounded is the content of an answer that must not be large.
type bounded struct {
	io.ReadCloser
	left int64
	path string
}

// Read implements io.Reader.
func (b *bounded) Read(p []byte) (int, error) {
	n, err := b.ReadCloser.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return 0, &tooLargeError{path: b.path}
	}
	return n, err
}

type tooLargeError struct{ path string }

func (e *tooLargeError) Error() string {
	return fmt.Sprintf("%s has more than %d bytes, too many for what describes an image", e.path, ociimage.MaxMetadata)
}
