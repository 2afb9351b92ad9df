package registry

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"
)

// two are two images of a repository.
func two(t *testing.T, server *server, store *Store) (repository string, one, other Content) {
	t.Helper()
	repository = server.host + "/team/app"
	for i, to := range []*Content{&one, &other} {
		content, _, err := store.deliver(t.Context(), repository,
			single(t, image{platform: "linux/amd64", layers: [][]byte{layer(t, "app", "x")}, label: string(rune('a' + i))}))
		if err != nil {
			t.Fatal(err)
		}
		*to = content
	}
	return repository, one, other
}

func TestATagIsGivenByPuttingTheSameManifest(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository, one, _ := two(t, server, store)
	server.since()
	named := must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":suite-1", Content: one}))
	if !named.Added || named.Before != nil || named.Content.Digest != one.Digest {
		t.Errorf("%+v", named)
	}
	for _, asked := range server.since() {
		if strings.HasPrefix(asked, "PATCH ") || strings.HasPrefix(asked, "POST ") {
			t.Errorf("it pushed something: %s", asked)
		}
	}
	again := must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":suite-1", Content: one}))
	if again.Added || again.Content.Digest != one.Digest {
		t.Errorf("%+v", again)
	}
}

func TestATagThatIsAnotherImageAlreadyIsNotMoved(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository, one, other := two(t, server, store)
	tag := repository + ":suite-1"
	must[Named](t)(store.Name(t.Context(), Naming{Tag: tag, Content: one}))
	for _, test := range []struct {
		name   string
		naming Naming
		moves  bool
	}{
		{"foreign", Naming{Tag: tag, Content: other}, false},
		{"leaves something else", Naming{Tag: tag, Content: other, Leaves: []digest.Digest{other.Digest, "", digest.FromString("x")}}, false},
		{"leaves the manifest", Naming{Tag: tag, Content: other, Leaves: []digest.Digest{one.Digest}}, true},
		{"leaves the image ID", Naming{Tag: tag, Content: one, Leaves: []digest.Digest{other.Images[0].Config}}, true},
		{"free", Naming{Tag: tag, Content: other, Free: true}, true},
	} {
		named, err := store.Name(t.Context(), test.naming)
		taken := (*TakenError)(nil)
		if errors.As(err, &taken) == test.moves || named.Added != test.moves || (named.Before != nil) != test.moves {
			t.Errorf("%s: %+v, %v", test.name, named, err)
		}
	}
	found := must[map[string]Content](t)(store.Look(t.Context(), tag))
	if found[tag].Digest != other.Digest {
		t.Errorf("it stands for %s", found[tag].Digest)
	}
}

func TestATagOfTheSameImageThatAnotherToolHasWrittenIsLeftAsItIs(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository := server.host + "/team/app"
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "app", "x")}}
	compressed, _, err := store.deliver(t.Context(), repository, single(t, built))
	if err != nil {
		t.Fatal(err)
	}
	f := folder{}
	stored, _, err := store.PushWhole(t.Context(), repository, mustStored(t, f.source(t, f.image(t, built))), nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	if stored.Digest == compressed.Digest {
		t.Fatal("both are the same manifest")
	}
	tag := repository + ":suite-1"
	must[Named](t)(store.Name(t.Context(), Naming{Tag: tag, Content: stored.Content}))
	named := must[Named](t)(store.Name(t.Context(), Naming{Tag: tag, Content: compressed}))
	if named.Added || named.Content.Digest != stored.Digest {
		t.Errorf("%+v", named)
	}
}

func TestWhoLosesATagToAnotherFindsOut(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store, rival := server.open(t), server.open(t)
	repository, one, other := two(t, server, store)
	tag := repository + ":suite-1"
	var once atomic.Bool
	server.failing(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodGet && strings.HasSuffix(r.URL.Path, "/manifests/suite-1") && len(server.puts()) == 1 && !once.Swap(true) {
			if _, err := rival.Name(context.WithoutCancel(r.Context()), Naming{Tag: tag, Content: other, Free: true}); err != nil {
				t.Error(err)
			}
		}
		return false
	})
	server.since()
	_, err := store.Name(t.Context(), Naming{Tag: tag, Content: one})
	if moved := (*MovedError)(nil); !errors.As(err, &moved) || moved.Digest != other.Digest {
		t.Errorf("it says %v", err)
	}
}

// puts are the manifests that were PUT.
func (s *server) puts() []string {
	s.mu.Lock()
	defer s.mu.Unlock()
	var puts []string
	for _, one := range s.asked {
		if strings.HasPrefix(one, "PUT ") && strings.Contains(one, "/manifests/") {
			puts = append(puts, one)
		}
	}
	return puts
}

func TestContentThatIsGoneCannotBeNamed(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository, one, _ := two(t, server, store)
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPut {
			return false
		}
		w.WriteHeader(http.StatusNotFound)
		_, _ = w.Write([]byte(`{"errors":[{"code":"MANIFEST_BLOB_UNKNOWN","message":"blob unknown"}]}`))
		return true
	})
	_, err := store.Name(t.Context(), Naming{Tag: repository + ":suite-1", Content: one})
	if lost := (*LostError)(nil); !errors.As(err, &lost) {
		t.Errorf("it says %v", err)
	}
}

func TestANameOfAnotherRegistryIsAMistake(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	for _, name := range []string{"other.example/app:1", "app:1", server.host + "/app", server.host + "/App:1", ""} {
		if _, err := store.Name(t.Context(), Naming{Tag: name}); err == nil {
			t.Errorf("%q is taken", name)
		}
	}
	if asked := server.since(); len(asked) > 0 {
		t.Errorf("it asked %q", asked)
	}
}

func TestATagIsTakenAwayAndItsContentStays(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository, one, other := two(t, server, store)
	tag := repository + ":suite-1"
	must[Named](t)(store.Name(t.Context(), Naming{Tag: tag, Content: one}))
	kept := must[Unnamed](t)(store.Unname(t.Context(), Unnaming{Tag: tag, Of: []digest.Digest{other.Digest}}))
	if kept.Removed || kept.Digest != one.Digest {
		t.Errorf("what is another image was taken: %+v", kept)
	}
	server.since()
	gone := must[Unnamed](t)(store.Unname(t.Context(), Unnaming{Tag: tag, Of: []digest.Digest{one.Images[0].Config}}))
	if !gone.Removed || gone.Gone || gone.Digest != one.Digest {
		t.Errorf("%+v", gone)
	}
	for _, asked := range server.since() {
		if strings.HasPrefix(asked, "DELETE ") && asked != "DELETE /v2/team/app/manifests/suite-1" {
			t.Errorf("it deletes more: %s", asked)
		}
	}
	must[Content](t)(store.At(t.Context(), repository, one.Digest))
	absent := must[Unnamed](t)(store.Unname(t.Context(), Unnaming{Tag: tag, Of: []digest.Digest{one.Digest}}))
	if absent != (Unnamed{}) {
		t.Errorf("%+v", absent)
	}
}

func TestARegistryThatTakesTheContentWithItsTagIsTold(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository, one, _ := two(t, server, store)
	must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":suite-1", Content: one}))
	var deleted atomic.Bool
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			deleted.Store(true)
		} else if deleted.Load() && strings.Contains(r.URL.Path, "/manifests/sha256:") {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	})
	gone := must[Unnamed](t)(store.Unname(t.Context(), Unnaming{Tag: repository + ":suite-1", Of: []digest.Digest{one.Digest}}))
	if !gone.Removed || !gone.Gone {
		t.Errorf("%+v", gone)
	}
}

func TestARegistryThatTakesNoTagsAwaySaysSo(t *testing.T) {
	t.Parallel()
	for name, answer := range map[string]struct {
		status int
		body   string
	}{
		"405":               {http.StatusMethodNotAllowed, `{"errors":[{"code":"UNSUPPORTED","message":"The operation is unsupported."}]}`},
		"405 without words": {http.StatusMethodNotAllowed, ``},
		"unsupported":       {http.StatusBadRequest, `{"errors":[{"code":"UNSUPPORTED"}]}`},
		"no digest":         {http.StatusBadRequest, `{"errors":[{"code":"DIGEST_INVALID","message":"provided digest did not match"}]}`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := serve(t)
			store := server.open(t)
			repository, one, _ := two(t, server, store)
			must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":suite-1", Content: one}))
			server.failing(func(w http.ResponseWriter, r *http.Request) bool {
				if r.Method != http.MethodDelete {
					return false
				}
				w.WriteHeader(answer.status)
				_, _ = w.Write([]byte(answer.body))
				return true
			})
			unnamed, err := store.Unname(t.Context(), Unnaming{Tag: repository + ":suite-1", Of: []digest.Digest{one.Digest}})
			if !is(err, Unsupported) || unnamed.Removed {
				t.Errorf("%+v, %v", unnamed, err)
			}
		})
	}
}

func TestAPutThatHasBegunIsWaitedFor(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository, one, _ := two(t, server, store)
	ctx, stop := context.WithCancel(t.Context())
	server.failing(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPut {
			stop()
		}
		return false
	})
	named, err := store.Name(ctx, Naming{Tag: repository + ":suite-1", Content: one})
	if err != nil || !named.Added {
		t.Errorf("%+v, %v", named, err)
	}
	if _, err := store.Name(ctx, Naming{Tag: repository + ":suite-2", Content: one}); !errors.Is(err, context.Canceled) {
		t.Errorf("a new one began: %v", err)
	}
}
