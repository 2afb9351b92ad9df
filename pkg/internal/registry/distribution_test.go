package registry

import (
	"encoding/base64"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/internal/distributiontest"
)

// real starts CNCF's distribution, with TLS and a login, and returns a way to open it.
func real(t *testing.T, program string, how distributiontest.How) (host string, open func(with ...func(*Options)) *Store) {
	t.Helper()
	how.Dir, how.Program, how.IP, how.Login = t.TempDir(), program, "127.0.0.1", true
	started := must[*distributiontest.Registry](t)(distributiontest.Start(t.Context(), how))
	t.Cleanup(started.Stop)
	folder := filepath.Join(how.Dir, "certs.d")
	login := base64.StdEncoding.EncodeToString([]byte(distributiontest.User + ":" + distributiontest.Password))
	auth := filepath.Join(how.Dir, "auth.json")
	for name, text := range map[string][]byte{
		filepath.Join(folder, started.Host, "ca.crt"): started.CA,
		auth: []byte(`{"auths":{"` + started.Host + `":{"auth":"` + login + `"}}}`),
	} {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, text, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	return started.Host, func(with ...func(*Options)) *Store {
		options := Options{Host: started.Host, Keychain: &Keychain{Files: []string{auth}}, Certificates: []string{folder}}
		for _, change := range with {
			change(&options)
		}
		store := must[*Store](t)(Open(options))
		t.Cleanup(store.Close)
		return store
	}
}

func TestCNCFsDistribution(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("it builds a registry")
	}
	program := must[string](t)(distributiontest.Build(t.Context(), t.TempDir()))
	host, open := real(t, program, distributiontest.How{})
	base := layer(t, "base", noise(4<<20, 7))

	t.Run("who does not log in is told so, and who does not trust it, too", func(t *testing.T) {
		t.Parallel()
		for name, test := range map[string]struct {
			with func(*Options)
			want Reason
		}{
			"no login": {func(o *Options) { o.Keychain = nil }, Unauthorized},
			"no trust": {func(o *Options) { o.Certificates = nil }, Untrusted},
		} {
			store := open(test.with)
			if err := store.Check(t.Context(), host+"/app"); !is(err, test.want) {
				t.Errorf("%s: %v", name, err)
			}
			built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "app", "x")}}
			if _, _, err := store.deliver(t.Context(), host+"/app", single(t, built)); !is(err, test.want) {
				t.Errorf("%s: a push says %v", name, err)
			}
		}
		if err := open().Check(t.Context(), host+"/app"); err != nil {
			t.Errorf("with all it takes: %v", err)
		}
	})
	t.Run("an image is pushed once, and of another only what changed", func(t *testing.T) {
		t.Parallel()
		repository := host + "/once/app"
		built := image{platform: "linux/amd64", layers: [][]byte{base, layer(t, "app", "1")}}
		first, delivery, err := open().deliver(t.Context(), repository, single(t, built))
		if err != nil || delivery.Layers() != 2 {
			t.Fatalf("%d layers, %v", delivery.Layers(), err)
		}
		built.layers[1] = layer(t, "app", "2")
		second, delivery, err := open().deliver(t.Context(), repository, single(t, built), first)
		if err != nil || delivery.Layers() != 1 || delivery.Sent() > 10_000 {
			t.Fatalf("%d bytes in %d layers, %v", delivery.Sent(), delivery.Layers(), err)
		}
		at := must[Content](t)(open().At(t.Context(), repository, second.Digest))
		if at.Images[0].Config != built.id(t) {
			t.Errorf("it has %+v", at)
		}
	})
	t.Run("layers of another repository are mounted", func(t *testing.T) {
		t.Parallel()
		built := image{platform: "linux/amd64", layers: [][]byte{base, layer(t, "app", "1")}}
		from, _, err := open().deliver(t.Context(), host+"/mount/from", single(t, built))
		if err != nil {
			t.Fatal(err)
		}
		built.layers[1] = layer(t, "app", "3")
		to, delivery, err := open().deliver(t.Context(), host+"/mount/to", single(t, built), from)
		if err != nil || delivery.Layers() != 1 || delivery.Sent() > 10_000 {
			t.Fatalf("%d bytes in %d layers, %v", delivery.Sent(), delivery.Layers(), err)
		}
		must[Content](t)(open().At(t.Context(), host+"/mount/to", to.Digest))
	})
	t.Run("an index keeps its platforms and attestations, and its digest", func(t *testing.T) {
		t.Parallel()
		f := folder{}
		root, ids := four(t, f)
		store, repository := open(), host+"/index/app"
		content, whole, err := store.PushWhole(t.Context(), repository, mustStored(t, f.source(t, root)), nil, nil)
		if err != nil || !whole || content.Digest != root.Digest {
			t.Fatalf("%s, whole %v, %v", content.Digest, whole, err)
		}
		must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":suite-1", Content: content.Content}))
		found := must[map[string]Content](t)(open().Look(t.Context(), repository+":suite-1", repository+":none"))
		for platform, id := range ids {
			if image, ok := found[repository+":suite-1"].Image(platform); !ok || image.Config != id {
				t.Errorf("%s: %+v instead of %s", platform, image, id)
			}
		}
	})
	t.Run("a tag is given, kept from others, and taken away without its content", func(t *testing.T) {
		t.Parallel()
		store, repository := open(), host+"/tags/app"
		var contents []Content
		for _, label := range []string{"a", "b"} {
			content, _, err := store.deliver(t.Context(), repository,
				single(t, image{platform: "linux/amd64", layers: [][]byte{layer(t, "app", "x")}, label: label}))
			if err != nil {
				t.Fatal(err)
			}
			contents = append(contents, content)
		}
		one, other := repository+":one", repository+":other"
		for _, tag := range []string{one, other} {
			must[Named](t)(store.Name(t.Context(), Naming{Tag: tag, Content: contents[0]}))
		}
		if _, err := store.Name(t.Context(), Naming{Tag: one, Content: contents[1]}); err == nil || !strings.Contains(err.Error(), "another image") {
			t.Errorf("it says %v", err)
		}
		gone := must[Unnamed](t)(store.Unname(t.Context(), Unnaming{Tag: one, Of: []digest.Digest{contents[0].Digest}}))
		if !gone.Removed || gone.Gone {
			t.Errorf("%+v", gone)
		}
		found := must[map[string]Content](t)(open().Look(t.Context(), one, other))
		if len(found) != 1 || found[other].Digest != contents[0].Digest {
			t.Errorf("it has %v", found)
		}
	})
	t.Run("one that lets nobody delete says so", func(t *testing.T) {
		t.Parallel()
		host, open := real(t, program, distributiontest.How{NoDelete: true})
		content, _, err := open().deliver(t.Context(), host+"/app", single(t, image{platform: "linux/amd64", layers: [][]byte{layer(t, "app", "x")}}))
		if err != nil {
			t.Fatal(err)
		}
		must[Named](t)(open().Name(t.Context(), Naming{Tag: host + "/app:one", Content: content}))
		if _, err := open().Unname(t.Context(), Unnaming{Tag: host + "/app:one", Of: []digest.Digest{content.Digest}}); !is(err, Unsupported) {
			t.Errorf("it says %v", err)
		}
	})
}
