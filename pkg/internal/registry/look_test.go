package registry

import (
	"errors"
	"fmt"
	"net/http"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/v1/types"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

func four(t *testing.T, f folder) (root ocispec.Descriptor, ids map[string]digest.Digest) {
	t.Helper()
	ids = map[string]digest.Digest{}
	var entries []ocispec.Descriptor
	for _, platform := range []string{"linux/amd64", "linux/arm64", "linux/s390x", "linux/ppc64le"} {
		one := image{platform: platform, layers: [][]byte{layer(t, "app", platform)}}
		described := f.image(t, one)
		ids[platform] = one.id(t)
		entries = append(entries, described, f.attestation(t, described))
	}
	return f.index(t, entries...), ids
}

func TestAnIndexIsPushedWholeAndHasAnImageForEachPlatform(t *testing.T) {
	t.Parallel()
	server := serve(t)
	store := server.open(t)
	f := folder{}
	root, ids := four(t, f)
	stored, ok := ociimage.StoredIn(f.source(t, root))
	if !ok {
		t.Fatal("the layout has no root")
	}
	repository := server.host + "/team/app"
	content, whole, err := store.PushWhole(t.Context(), repository, stored, nil, nil)
	if err != nil || !whole {
		t.Fatalf("whole %v, %v", whole, err)
	}
	if content.Digest != root.Digest || !content.Index {
		t.Errorf("it is %s instead of %s", content.Digest, root.Digest)
	}
	must[Named](t)(store.Name(t.Context(), Naming{Tag: repository + ":dev", Content: content.Content}))
	found := must[map[string]Content](t)(store.Look(t.Context(), repository+":dev", repository+":other"))
	looked := found[repository+":dev"]
	if len(found) != 1 || looked.Digest != root.Digest {
		t.Errorf("it finds %v", found)
	}
	for platform, id := range ids {
		if image, ok := looked.Image(platform); !ok || image.Config != id || image.Manifest == "" {
			t.Errorf("%s: %+v instead of %s", platform, image, id)
		}
	}
	if len(looked.Images) != 4 || len(looked.Digests()) != 9 {
		t.Errorf("images %v, digests %v", platforms(looked), looked.Digests())
	}
	if _, ok := looked.Image("windows/amd64"); ok {
		t.Error("it has an image for Windows")
	}
	// The same again sends nothing.
	server.since()
	if _, _, err := store.open(t, server).PushWhole(t.Context(), repository, stored, nil, nil); err != nil {
		t.Error(err)
	}
	for _, asked := range server.since() {
		if !strings.HasPrefix(asked, "HEAD ") && !strings.HasPrefix(asked, "GET ") {
			t.Errorf("it sends again: %s", asked)
		}
	}
}

// open returns another store of the same registry, which remembers nothing.
func (s *Store) open(t *testing.T, server *server) *Store {
	t.Helper()
	return server.open(t)
}

func TestALayoutThatLacksAPlatformIsNotPushedWhole(t *testing.T) {
	t.Parallel()
	server := serve(t)
	f := folder{}
	root, _ := four(t, f)
	lacking := image{platform: "linux/s390x", layers: [][]byte{layer(t, "app", "linux/s390x")}}
	delete(f, "blobs/sha256/"+digest.FromBytes(lacking.layers[0]).Encoded())
	stored, _ := ociimage.StoredIn(f.source(t, root))
	_, whole, err := server.open(t).PushWhole(t.Context(), server.host+"/team/app", stored, nil, nil)
	if err != nil || whole {
		t.Errorf("whole %v, %v", whole, err)
	}
	if asked := server.since(); len(asked) > 0 {
		t.Errorf("it asked %q", asked)
	}
}

func TestALayoutThatIsDamagedIsNotPushed(t *testing.T) {
	t.Parallel()
	server := serve(t)
	f := folder{}
	root, _ := four(t, f)
	source := f.source(t, root)
	f["blobs/sha256/"+root.Digest.Encoded()].Data = []byte("{}")
	stored, _ := ociimage.StoredIn(source)
	_, _, err := server.open(t).PushWhole(t.Context(), server.host+"/team/app", stored, nil, nil)
	if damaged := (*ociimage.ContentError)(nil); !errors.As(err, &damaged) {
		t.Errorf("it says %v", err)
	}
}

func TestWhatIsNoImageIsSaidToBeAnArtifact(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name, mediaType, raw, want string
	}{
		{
			"Helm chart", ocispec.MediaTypeImageManifest,
			`{"schemaVersion":2,"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json","digest":"sha256:` +
				strings.Repeat("a", 64) + `"},"layers":[]}`, "application/vnd.cncf.helm.config.v1+json",
		},
		{"empty index", ocispec.MediaTypeImageIndex, `{"schemaVersion":2,"manifests":[]}`, "an index without an image"},
		{"something", "application/x-something", `{}`, "application/x-something"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			content, err := parse([]byte(test.raw), types.MediaType(test.mediaType))
			if err != nil || content.Artifact != test.want || len(content.Images) > 0 {
				t.Errorf("%q, %v", content.Artifact, err)
			}
		})
	}
}

func TestWhatDoesNotDescribeAnImageIsAnError(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ mediaType, raw, want string }{
		{ocispec.MediaTypeImageManifest, `{`, "not readable"},
		{ocispec.MediaTypeImageIndex, `[`, "not readable"},
		{ocispec.MediaTypeImageManifest, `{"config":{"digest":"sha256:../../x"}}`, "lists"},
		{ocispec.MediaTypeImageIndex, `{"manifests":[{"mediaType":"` + ocispec.MediaTypeImageManifest +
			`","digest":"x","platform":{"os":"linux","architecture":"amd64"}}]}`, "lists"},
		{"application/vnd.docker.distribution.manifest.v1+json", `{}`, "schema 1"},
	} {
		if _, err := parse([]byte(test.raw), types.MediaType(test.mediaType)); err == nil || !strings.Contains(err.Error(), test.want) {
			t.Errorf("%s %s: %v", test.mediaType, test.raw, err)
		}
	}
}

func TestAnIndexWithMoreImagesThanThereArePlatformsIsRefused(t *testing.T) {
	t.Parallel()
	var index ocispec.Index
	for i := range maxImages + 1 {
		index.Manifests = append(index.Manifests, ocispec.Descriptor{
			MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(fmt.Sprint(i)),
			Platform: &ocispec.Platform{OS: "linux", Architecture: fmt.Sprint("a", i)},
		})
	}
	if _, err := parse(encode(t, index), ocispec.MediaTypeImageIndex); err == nil {
		t.Error("it is taken")
	}
}

func TestManyNamesAreAskedForAFewAtATime(t *testing.T) {
	t.Parallel()
	server := serve(t)
	var now, most atomic.Int32
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		time.Sleep(5 * time.Millisecond) // as a registry far away
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	store := server.open(t)
	if _, err := store.Look(t.Context(), server.host+"/x:0"); !is(err, NotFound) {
		t.Logf("a registry whose /v2/ is not there: %v", err)
	}
	server.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.URL.Path == "/v2/" {
			return false
		}
		most.Store(max(most.Load(), now.Add(1)))
		defer now.Add(-1)
		time.Sleep(5 * time.Millisecond) // as a registry far away
		w.WriteHeader(http.StatusNotFound)
		return true
	})
	most.Store(0)
	var names []string
	for i := range 40 {
		names = append(names, fmt.Sprintf("%s/app:%d", server.host, i))
	}
	found, err := store.Look(t.Context(), names...)
	if err != nil || len(found) > 0 {
		t.Errorf("%v, %v", found, err)
	}
	if most.Load() > defaultJobs {
		t.Errorf("it asked %d times at once", most.Load())
	}
}

func TestAPodRunsAnImageByAnyOfItsDigestsAndAnyRepository(t *testing.T) {
	t.Parallel()
	index, manifest, config := digest.FromString("index"), digest.FromString("manifest"), digest.FromString("config")
	digests := []digest.Digest{index, manifest, config}
	for imageID, want := range map[string]bool{
		"registry.example/team/app@" + index.String(): true,
		"kind-registry:5000/app@" + manifest.String(): true,
		config.String(): true,
		"docker-pullable://x/app@" + index.String():            true,
		"docker://" + config.String():                          true,
		"x/app@" + digest.FromString("other").String():         false,
		"x/app:" + index.Encoded():                             false,
		"":                                                     false,
		"sha256:" + strings.Repeat("0", 64):                    false,
		index.String() + "@" + digest.FromString("o").String(): false,
	} {
		if got := Runs(imageID, digests); got != want {
			t.Errorf("%q: %v", imageID, got)
		}
	}
}

func TestContentIsPinnedByItsDigest(t *testing.T) {
	t.Parallel()
	content := Content{Digest: digest.FromString("x")}
	if diff := cmp.Diff("r.example/app:dev@"+content.Digest.String(), content.Pinned("r.example/app:dev")); diff != "" {
		t.Error(diff)
	}
}
