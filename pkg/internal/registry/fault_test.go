package registry

import (
	"context"
	"encoding/pem"
	"errors"
	"io"
	"log"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"
)

// answers lets the registry answer with a status, so many times, 0 for always.
func (s *server) answers(status int, body string, times int32) *atomic.Int32 {
	var asked atomic.Int32
	s.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" || times > 0 && asked.Load() >= times {
			return false
		}
		asked.Add(1)
		w.WriteHeader(status)
		_, _ = w.Write([]byte(body))
		return true
	})
	return &asked
}

func TestWhatARegistryRefusesIsSaidWithItsHostAndRepository(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, body string
		status     int
		want       Reason
		says       string
	}{
		{"unauthorised", `{"errors":[{"code":"UNAUTHORIZED"}]}`, 401, Unauthorized, "wants a login, and there are no credentials for it"},
		{"forbidden", `{"errors":[{"code":"DENIED","message":"requested access is denied"}]}`, 403, Forbidden, "requested access is denied"},
		{"rate limit", `{"errors":[{"code":"TOOMANYREQUESTS","message":"slow down"}]}`, 429, RateLimited, "asked too often"},
		{"failure", "<html>" + strings.Repeat("words ", 1000), 503, Unavailable, "failed with status 503"},
		{"not allowed", "", 405, Unsupported, "does not support it"},
		{"teapot", "", 418, Failed, "418"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			server := serve(t)
			store := server.open(t)
			server.answers(test.status, test.body, 0)
			_, err := store.Look(t.Context(), server.host+"/team/app:dev")
			var failed *Error
			if !errors.As(err, &failed) {
				t.Fatalf("%T: %v", err, err)
			}
			if failed.Reason != test.want || failed.Host != server.host || failed.Repository != "team/app" {
				t.Errorf("%+v", failed)
			}
			for _, words := range []string{test.says, "read " + server.host + "/team/app:dev", server.host} {
				if !strings.Contains(err.Error(), words) {
					t.Errorf("%q does not say %q", err, words)
				}
			}
			if len(err.Error()) > 700 || strings.Contains(err.Error(), "\n") {
				t.Errorf("it says all of what it got: %q", err)
			}
			// A push says the same.
			_, _, err = store.deliver(t.Context(), server.host+"/team/app", single(t, image{platform: "linux/amd64", layers: [][]byte{layer(t, "a", "b")}}))
			if !is(err, test.want) {
				t.Errorf("a push says %v", err)
			}
		})
	}
}

func TestARegistryThatFailsForAMomentIsAskedAgain(t *testing.T) {
	t.Parallel()
	for _, status := range []int{429, 500, 502, 503, 504} {
		server := serve(t)
		store := server.open(t)
		asked := server.answers(status, "", 2)
		_, err := store.Look(t.Context(), server.host+"/team/app:dev")
		if err != nil || asked.Load() != 2 {
			t.Errorf("%d: asked %d times, %v", status, asked.Load(), err)
		}
		asked = server.answers(status, "", 1)
		_, _, err = store.deliver(t.Context(), server.host+"/team/app", single(t, image{platform: "linux/amd64", layers: [][]byte{layer(t, "a", "b")}}))
		if err != nil || asked.Load() != 1 {
			t.Errorf("%d: a push failed after %d: %v", status, asked.Load(), err)
		}
	}
}

func TestWhatAsksAgainEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := must[*Store](t)(Open(Options{Host: server.host}))
	server.answers(503, "", 0)
	ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
	defer stop()
	begun := time.Now()
	_, err := store.Look(ctx, server.host+"/team/app:dev")
	if !errors.Is(err, context.DeadlineExceeded) || time.Since(begun) > 2*time.Second {
		t.Errorf("after %s: %v", time.Since(begun), err)
	}
}

func TestAnAnswerThatIsTooLargeIsNotRead(t *testing.T) {
	t.Parallel()
	for _, told := range []bool{true, false} {
		server := serve(t)
		store := server.open(t)
		var sent atomic.Int64
		server.failing(func(w http.ResponseWriter, r *http.Request) bool {
			if r.URL.Path == "/v2/" {
				return false
			}
			w.Header().Set("Content-Type", "application/vnd.oci.image.manifest.v1+json")
			if told {
				w.Header().Set("Content-Length", "1000000000")
			}
			part := []byte(strings.Repeat(" ", 1<<20))
			for range 1000 {
				n, err := w.Write(part)
				sent.Add(int64(n))
				if err != nil {
					break
				}
			}
			return true
		})
		_, err := store.Look(t.Context(), server.host+"/team/app:dev")
		if !is(err, TooLarge) {
			t.Errorf("it says %v", err)
		}
		if sent.Load() > 100<<20 {
			t.Errorf("it took %d bytes", sent.Load())
		}
	}
}

func TestNobodyAtTheAddressIsSaid(t *testing.T) {
	t.Parallel()
	listener := must[net.Listener](t)(net.Listen("tcp", "127.0.0.1:0"))
	host := listener.Addr().String()
	_ = listener.Close()
	store := must[*Store](t)(Open(Options{Host: host, Retry: time.Millisecond}))
	if err := store.Check(t.Context(), host+"/app"); !is(err, Unreachable) || !strings.Contains(err.Error(), host) {
		t.Errorf("it says %v", err)
	}
}

func TestPlainHTTPIsOnlyForLoopbackAndWhereItIsSaid(t *testing.T) {
	t.Parallel()
	var asked atomic.Int32
	plain := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { asked.Add(1) }))
	defer plain.Close()
	there := plain.Listener.Addr().String()
	guarded := func(said map[string]bool) *guard {
		return &guard{plain: said, next: &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
			return (&net.Dialer{}).DialContext(ctx, network, there)
		}}}
	}
	for _, test := range []struct {
		host string
		said map[string]bool
		goes bool
	}{
		{"10.0.0.5:5000", nil, false},
		{"192.168.1.1", nil, false},
		{"registry.local:5000", nil, false},
		{"localhost.example", nil, false},
		{"10.0.0.5:5000", map[string]bool{"10.0.0.5:5000": true}, true},
		{"10.0.0.5:5001", map[string]bool{"10.0.0.5:5000": true}, false},
		{"localhost:5001", nil, true},
		{"registry.localhost", nil, true},
		{"127.0.0.2:5000", nil, true},
		{"[::1]:5000", nil, true},
	} {
		request := must[*http.Request](t)(http.NewRequestWithContext(t.Context(), http.MethodGet, "http://"+test.host+"/v2/", nil))
		response, err := guarded(test.said).RoundTrip(request)
		if (err == nil) != test.goes {
			t.Errorf("%s, said %v: %v", test.host, test.said, err)
		}
		if err == nil {
			_ = response.Body.Close()
		}
	}
	if asked.Load() != 5 {
		t.Errorf("%d requests went", asked.Load())
	}
}

func TestARegistryAtAPrivateAddressWithoutTLSSaysWhatItTakes(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(server.Close)
	const host = "10.20.30.40:5000"
	for _, plain := range []bool{false, true} {
		store := must[*Store](t)(Open(Options{Host: host, PlainHTTP: plain, Retry: time.Millisecond}))
		// The address is another machine's; what is sent there goes to the server here.
		store.guard.next.(*http.Transport).DialContext = func(ctx context.Context, network, _ string) (net.Conn, error) {
			return new(net.Dialer).DialContext(ctx, network, server.Listener.Addr().String())
		}
		if err := store.Check(t.Context(), host+"/app"); plain == is(err, PlainHTTP) || plain && err != nil {
			t.Errorf("plain http said: %t: it says %v", plain, err)
		}
	}
}

func TestARegistryIsTrustedByTheCertificateInItsFolder(t *testing.T) {
	t.Parallel()
	server := httptest.NewUnstartedServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	server.Config.ErrorLog = log.New(io.Discard, "", 0)
	server.StartTLS()
	t.Cleanup(server.Close)
	host := server.Listener.Addr().String()
	store := must[*Store](t)(Open(Options{Host: host, Retry: time.Millisecond}))
	if err := store.Check(t.Context(), host+"/app"); !is(err, Untrusted) {
		t.Errorf("it says %v", err)
	}
	folder := t.TempDir()
	if err := os.Mkdir(filepath.Join(folder, host), 0o755); err != nil {
		t.Fatal(err)
	}
	trusted := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: server.Certificate().Raw})
	if err := os.WriteFile(filepath.Join(folder, host, "ca.crt"), trusted, 0o644); err != nil {
		t.Fatal(err)
	}
	store = must[*Store](t)(Open(Options{Host: host, Certificates: []string{"/nowhere", folder}, Retry: time.Millisecond}))
	if err := store.Check(t.Context(), host+"/app"); err != nil {
		t.Errorf("it says %v", err)
	}
	if err := os.WriteFile(filepath.Join(folder, host, "ca.crt"), []byte("x"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(Options{Host: host, Certificates: []string{folder}}); err == nil || !strings.Contains(err.Error(), "ca.crt") {
		t.Errorf("it says %v", err)
	}
}
