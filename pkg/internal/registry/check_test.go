package registry

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"
)

func TestWhoMayNotPushIsToldBeforeAnythingIsRead(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	if err := store.CheckPush(t.Context(), server.host+"/team/app"); err != nil {
		t.Error(err)
	}
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPost {
			return false
		}
		w.WriteHeader(http.StatusForbidden)
		_, _ = w.Write([]byte(`{"errors":[{"code":"DENIED","message":"only for readers"}]}`))
		return true
	})
	err := store.CheckPush(t.Context(), server.host+"/team/app")
	if !is(err, Forbidden) || !strings.Contains(err.Error(), "push to "+server.host+"/team/app") || !strings.Contains(err.Error(), "only for readers") {
		t.Errorf("it says %v", err)
	}
	if err := store.Check(t.Context(), server.host+"/team/app"); err != nil {
		t.Errorf("who reads only is told %v", err)
	}
	for _, repository := range []string{"other.example/app", "App", server.host + "/app:dev"} {
		if store.CheckPush(t.Context(), repository) == nil || store.Check(t.Context(), repository) == nil {
			t.Errorf("%s is taken for a repository", repository)
		}
	}
}

func TestACheckEndsWithItsContext(t *testing.T) {
	t.Parallel()
	server := serve(t)
	server.failing(func(_ http.ResponseWriter, r *http.Request) bool {
		<-r.Context().Done()
		return true
	})
	store := server.open(t)
	for name, check := range map[string]func(context.Context, string) error{"read": store.Check, "push": store.CheckPush} {
		ctx, stop := context.WithTimeout(t.Context(), 50*time.Millisecond)
		defer stop()
		if err := check(ctx, server.host+"/app"); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// tokens lets the registry want a token of its own, which a login gets elsewhere.
func (s *server) tokens(t *testing.T, realm string) (asked *atomic.Int32) {
	t.Helper()
	asked = &atomic.Int32{}
	if realm == "" {
		realm = "http://" + s.host + "/token"
	}
	s.failing(func(w http.ResponseWriter, r *http.Request) bool {
		name, password, login := r.BasicAuth()
		switch {
		case r.URL.Path == "/token":
			asked.Add(1)
			if !login || name != user(s.host) || password != secret {
				w.WriteHeader(http.StatusUnauthorized)
				return true
			}
			_ = json.NewEncoder(w).Encode(map[string]string{"token": "t0ken"})
			return true
		case r.Header.Get("Authorization") == "Bearer t0ken":
			return false
		}
		w.Header().Set("WWW-Authenticate", `Bearer realm="`+realm+`",service="test"`)
		w.WriteHeader(http.StatusUnauthorized)
		return true
	})
	return asked
}

func TestATokenIsGotByALogin(t *testing.T) {
	t.Parallel()
	server := serve(t)
	asked := server.tokens(t, "")
	store := must[*Store](t)(Open(Options{Host: server.host, Keychain: &Keychain{Files: []string{authFile(t, server.host)}}}))
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "a", "b")}}
	if _, _, err := store.deliver(t.Context(), server.host+"/team/app", single(t, built)); err != nil {
		t.Error(err)
	}
	if n := asked.Load(); n < 1 || n > 3 {
		t.Errorf("it asked for %d tokens", n)
	}
	anonymous := server.open(t)
	if err := anonymous.Check(t.Context(), server.host+"/team/app"); !is(err, Unauthorized) {
		t.Errorf("without a login: %v", err)
	}
}

func TestALoginDoesNotGoWhereARegistrySaysThatTokensAre(t *testing.T) {
	t.Parallel()
	for _, realm := range []string{"http://10.11.12.13/token", "http://169.254.169.254/latest", "http://tokens.example/token", "file:///etc/passwd"} {
		server := serve(t)
		server.tokens(t, realm)
		store := must[*Store](t)(Open(Options{Host: server.host, Retry: time.Millisecond, Keychain: &Keychain{Files: []string{authFile(t, server.host)}}}))
		ctx, stop := context.WithTimeout(t.Context(), 10*time.Second)
		defer stop()
		if err := store.Check(ctx, server.host+"/team/app"); err == nil || errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", realm, err)
		}
	}
}
