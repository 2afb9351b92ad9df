package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"sync/atomic"
	"testing"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

func noise(size int, seed uint64) string {
	var key [32]byte
	key[0] = byte(seed)
	text := make([]byte, size)
	_, _ = rand.NewChaCha8(key).Read(text)
	return string(text)
}

func TestAnImageIsDeliveredByItsLayersAndKeepsItsID(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository := server.host + "/team/app"
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "base", noise(1<<20, 1)), layer(t, "app", "1")}}
	content, delivery, err := store.deliver(t.Context(), repository, single(t, built))
	if err != nil {
		t.Fatal(err)
	}
	if delivery.Layers() != 2 || delivery.Sent() < 1<<20 {
		t.Errorf("it sent %d bytes in %d layers", delivery.Sent(), delivery.Layers())
	}
	image, ok := content.Image("linux/amd64")
	if !ok || image.Config != built.id(t) || image.Manifest != content.Digest || content.Index {
		t.Errorf("it is %+v", content)
	}
	at := must[Content](t)(store.At(t.Context(), repository, content.Digest))
	if at.Images[0].Config != built.id(t) || at.Images[0].Platform != "linux/amd64" {
		t.Errorf("the registry has %+v", at)
	}
}

func TestOfAChangedImageOnlyTheChangedLayerGoes(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository := server.host + "/team/app"
	base := layer(t, "base", noise(4<<20, 1))
	first, _, err := store.deliver(t.Context(), repository,
		single(t, image{platform: "linux/amd64", layers: [][]byte{base, layer(t, "app", "1")}}))
	if err != nil {
		t.Fatal(err)
	}
	must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":dev", Content: first, Free: true}))
	// Another run, which only has the registry to ask.
	store = server.open(t)
	found := must[map[string]Content](t)(store.Look(t.Context(), repository+":dev"))
	server.since()
	changed := image{platform: "linux/amd64", layers: [][]byte{base, layer(t, "app", "2")}}
	second, delivery, err := store.deliver(t.Context(), repository, single(t, changed), found[repository+":dev"])
	if err != nil {
		t.Fatal(err)
	}
	if delivery.Layers() != 1 || delivery.Sent() > 10_000 {
		t.Errorf("it sent %d bytes in %d layers", delivery.Sent(), delivery.Layers())
	}
	if pushed := server.pushes(); pushed != 2 {
		t.Errorf("%d blobs were pushed instead of a layer and a config", pushed)
	}
	if second.Images[0].Config != changed.id(t) || second.Images[0].layers[0].Digest != first.Images[0].layers[0].Digest {
		t.Errorf("it is %+v", second)
	}
}

func TestALayerThatTheRegistryLostGoesAgain(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository := server.host + "/team/app"
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "base", "b"), layer(t, "app", "1")}}
	first, _, err := store.deliver(t.Context(), repository, single(t, built))
	if err != nil {
		t.Fatal(err)
	}
	lost := first.Images[0].layers[0].Digest
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodHead && r.URL.Path == "/v2/team/app/blobs/"+lost.String() {
			w.WriteHeader(http.StatusNotFound)
			return true
		}
		return false
	})
	store = server.open(t)
	has := must[Layers](t)(store.Layers(t.Context(), repository, nil, first))
	if len(has) != 1 {
		t.Fatalf("it has %v", has)
	}
	_, delivery, err := store.deliver(t.Context(), repository, single(t, built), first)
	if err != nil || delivery.Layers() != 1 {
		t.Errorf("%d layers, %v", delivery.Layers(), err)
	}
}

func TestALayerThatIsNotWhatItsDigestSaysStopsADelivery(t *testing.T) {
	t.Parallel()
	server := serve(t)
	delivery := must[*Delivery](t)(server.open(t).Deliver(t.Context(), server.host+"/app", nil, nil))
	defer delivery.Abort()
	_, err := delivery.Layer(t.Context(), digest.FromString("something"), bytes.NewReader(layer(t, "app", "1")))
	if damaged := (*ociimage.ContentError)(nil); !errors.As(err, &damaged) {
		t.Errorf("it says %v", err)
	}
}

func TestAPushThatIsCutInTheMiddleIsRepeated(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	var cut atomic.Bool
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch || r.ContentLength < 1<<20 || cut.Swap(true) {
			return false
		}
		_, _ = io.CopyN(io.Discard, r.Body, 1<<16)
		connection, _, err := http.NewResponseController(w).Hijack()
		if err == nil {
			_ = connection.Close()
		}
		return true
	})
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "base", noise(8<<20, 1))}}
	content, delivery, err := store.deliver(t.Context(), server.host+"/app", single(t, built))
	if err != nil {
		t.Fatal(err)
	}
	if !cut.Load() {
		t.Error("nothing was cut")
	}
	if size := content.Images[0].layers[0].Size; delivery.Sent() != size {
		t.Errorf("it says that %d bytes of %d went", delivery.Sent(), size)
	}
}

func TestADeliveryEndsWithItsContextAndLeavesNoFile(t *testing.T) {
	// It sets where temporary files are.
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	server := serve(t)
	store := server.open(t)
	ctx, stop := context.WithCancel(t.Context())
	server.failing(func(_ http.ResponseWriter, r *http.Request) bool {
		if r.Method != http.MethodPatch {
			return false
		}
		stop()
		_, _ = io.Copy(io.Discard, r.Body)
		return true
	})
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "base", noise(4<<20, 1)), layer(t, "app", "1")}}
	_, _, err := store.deliver(ctx, server.host+"/app", single(t, built))
	if !errors.Is(err, context.Canceled) {
		t.Errorf("it says %v", err)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("it leaves %v, %v", left, err)
	}
}

func TestADeliveryWithoutALayerFails(t *testing.T) {
	t.Parallel()
	server := serve(t)
	delivery := must[*Delivery](t)(server.open(t).Deliver(t.Context(), server.host+"/app", nil, nil))
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "app", "1")}}
	known, _ := single(t, built).Image()
	_, err := delivery.Finish(t.Context(), known)
	if lost := (*LostError)(nil); !errors.As(err, &lost) {
		t.Errorf("it says %v", err)
	}
}

// In a stream, such as standard input, what describes an image may come last, and nobody knows
// its layers before.
func TestADockerArchiveIsDeliveredFromAStream(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	repository := server.host + "/team/app"
	built := image{platform: "linux/amd64", layers: [][]byte{layer(t, "base", noise(1<<20, 1)), layer(t, "app", "1")}}
	stream := func() ociimage.Source {
		return ociimage.OpenStream(bytes.NewReader(dockerArchive(t, built)), ociimage.Choice{Platform: "linux/amd64"}, ociimage.Image{}, io.NopCloser(nil))
	}
	first, delivery, err := store.deliver(t.Context(), repository, stream())
	if err != nil || delivery.Layers() != 2 || first.Images[0].Config != built.id(t) {
		t.Fatalf("%+v, %v", first, err)
	}
	// Its files are called by their digests, so the registry need not get them again.
	_, delivery, err = store.deliver(t.Context(), repository, stream(), first)
	if err != nil || delivery.Layers() != 0 || delivery.Sent() != 0 {
		t.Errorf("%d bytes in %d layers, %v", delivery.Sent(), delivery.Layers(), err)
	}
}

func dockerArchive(t *testing.T, i image) []byte {
	t.Helper()
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	put := func(name string, text []byte) {
		err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg})
		if err == nil {
			_, err = w.Write(text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	var layers []string
	for _, layer := range i.layers {
		layers = append(layers, digest.FromBytes(layer).Encoded()+".tar")
		put(layers[len(layers)-1], layer)
	}
	config := digest.FromBytes(i.config(t)).Encoded() + ".json"
	put(config, i.config(t))
	put("manifest.json", encode(t, []map[string]any{{"Config": config, "RepoTags": []string{"localhost/app:dev"}, "Layers": layers}}))
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}
