package ociimage

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/klauspost/compress/zstd"
	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// sink is a node that has some layers.
type sink struct {
	has map[digest.Digest]bool
	got map[digest.Digest]string
	// unknown counts layers that came without a digest.
	unknown int
}

func newSink(has ...digest.Digest) *sink {
	s := &sink{has: map[digest.Digest]bool{}, got: map[digest.Digest]string{}}
	for _, d := range has {
		s.has[d] = true
	}
	return s
}

func (s *sink) Wants(_ context.Context, d digest.Digest) (bool, error) {
	_, got := s.got[d]
	return !s.has[d] && !got, nil
}

func (s *sink) Layer(_ context.Context, want digest.Digest, content io.Reader) (digest.Digest, error) {
	text, err := io.ReadAll(content)
	if err != nil {
		return "", err
	}
	got := digest.FromBytes(text)
	if want == "" {
		s.unknown++
	} else if got != want {
		return "", &ContentError{What: "layer", Want: want, Got: got}
	}
	s.got[got] = string(text)
	return got, nil
}

type file struct{ name, text, link string }

func tarOf(t testing.TB, files ...file) []byte {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range files {
		header := &tar.Header{Typeflag: tar.TypeReg, Name: f.name, Size: int64(len(f.text)), Mode: 0o644}
		if f.link != "" {
			header = &tar.Header{Typeflag: tar.TypeSymlink, Name: f.name, Linkname: f.link}
		}
		if err := w.WriteHeader(header); err != nil {
			t.Fatal(err)
		}
		_, _ = io.WriteString(w, f.text)
	}
	_ = w.Close()
	return out.Bytes()
}

func layerOf(t testing.TB, content string) string {
	return string(tarOf(t, file{name: "file", text: content}))
}

func configOf(t testing.TB, architecture string, layers ...string) string {
	config := ocispec.Image{Platform: ocispec.Platform{OS: "linux", Architecture: architecture}, RootFS: ocispec.RootFS{Type: "layers"}}
	for _, layer := range layers {
		config.RootFS.DiffIDs = append(config.RootFS.DiffIDs, digest.FromString(layer))
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func zip(text string) string {
	var out bytes.Buffer
	w := gzip.NewWriter(&out)
	_, _ = io.WriteString(w, text)
	_ = w.Close()
	return out.String()
}

func zstandard(text string) string {
	encoder, _ := zstd.NewWriter(nil)
	return string(encoder.EncodeAll([]byte(text), nil))
}

func blob(text string) file { return file{name: blobPath(digest.FromString(text)), text: text} }

func manifestOf(t testing.TB, config string, layers ...string) string {
	manifest := ocispec.Manifest{Config: ocispec.Descriptor{Digest: digest.FromString(config), Size: int64(len(config))}}
	for _, layer := range layers {
		manifest.Layers = append(manifest.Layers, ocispec.Descriptor{Digest: digest.FromString(layer), Size: int64(len(layer))})
	}
	text, err := json.Marshal(manifest)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func indexOf(t testing.TB, entries ...ocispec.Descriptor) string {
	text, err := json.Marshal(ocispec.Index{Manifests: entries})
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func entryOfText(text string, change func(*ocispec.Descriptor)) ocispec.Descriptor {
	d := ocispec.Descriptor{MediaType: ocispec.MediaTypeImageManifest, Digest: digest.FromString(text), Size: int64(len(text))}
	if change != nil {
		change(&d)
	}
	return d
}

// Archives hold the layers low and high.
func low(t testing.TB) string { return layerOf(t, "low") }

func high(t testing.TB) string { return layerOf(t, "high") }

func config(t testing.TB) string { return configOf(t, "amd64", low(t), high(t)) }

func dockerArchive(t testing.TB, names string) []file {
	return []file{
		{name: "a/layer.tar", text: low(t)},
		{name: "b/layer.tar", text: high(t)},
		{name: "config.json", text: config(t)},
		{name: "manifest.json", text: `[{"Config":"config.json","RepoTags":` + names + `,"Layers":["a/layer.tar","b/layer.tar"]}]`},
	}
}

func layoutOf(t testing.TB, layers ...string) []file {
	manifest := manifestOf(t, config(t), layers...)
	files := []file{{name: "oci-layout", text: `{"imageLayoutVersion":"1.0.0"}`}, blob(config(t)), blob(manifest)}
	for _, layer := range layers {
		files = append(files, blob(layer))
	}
	named := func(d *ocispec.Descriptor) { d.Annotations = map[string]string{containerdName: "localhost/x:dev"} }
	return append(files, file{name: "index.json", text: indexOf(t, entryOfText(manifest, named))})
}

// read reads an archive both ways that there are.
func read(t *testing.T, archive []byte, choice Choice, to ...*sink) (Image, error) {
	t.Helper()
	var images []Image
	var failures []error
	for i, open := range []func() (Source, error){
		func() (Source, error) {
			return OpenStream(bytes.NewReader(archive), choice, Image{}, io.NopCloser(nil)), nil
		},
		func() (Source, error) {
			r := bytes.NewReader(archive)
			return OpenTar(r, r, choice, io.NopCloser(nil))
		},
	} {
		target := newSink()
		if i < len(to) {
			target = to[i]
		}
		source, err := open()
		var image Image
		if err == nil {
			image, err = source.Read(t.Context(), target)
		}
		images, failures = append(images, image), append(failures, err)
	}
	if (failures[0] == nil) != (failures[1] == nil) {
		t.Fatalf("as a stream: %v; as files: %v", failures[0], failures[1])
	}
	if failures[0] == nil {
		if diff := cmp.Diff(images[0], images[1]); diff != "" {
			t.Errorf("as a stream it is another image (-stream +files):\n%s", diff)
		}
	}
	return images[0], failures[0]
}

func TestArchivesAreReadAsTheyAreWritten(t *testing.T) {
	t.Parallel()
	twice := dockerArchive(t, `["x:dev"]`)
	twice = append([]file{{name: "c/layer.tar", link: "../a/layer.tar"}}, twice...)
	twice[3].text = configOf(t, "amd64", low(t), low(t))
	twice[4].text = strings.Replace(twice[4].text, "b/layer.tar", "c/layer.tar", 1)
	for name, archive := range map[string][]file{
		"docker's":                   dockerArchive(t, `["localhost/x:dev"]`),
		"a layout":                   layoutOf(t, low(t), high(t)),
		"a layout of gzip layers":    layoutOf(t, zip(low(t)), zip(high(t))),
		"a layout of zstd layers":    layoutOf(t, zstandard(low(t)), high(t)),
		"a layer that is a link":     twice,
		"dots before the file names": {{name: "./config.json", text: config(t)}, {name: "./a/layer.tar", text: low(t)}, {name: "b/layer.tar", text: high(t)}, dockerArchive(t, `[]`)[3]},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			streamed, direct := newSink(), newSink()
			image, err := read(t, tarOf(t, archive...), Choice{Platform: "linux/amd64"}, streamed, direct)
			if err != nil {
				t.Fatal(err)
			}
			for _, diffID := range image.DiffIDs {
				if streamed.got[diffID] == "" || direct.got[diffID] == "" {
					t.Errorf("layer %s did not come", diffID)
				}
			}
			if image.ID != digest.FromBytes(image.Config) {
				t.Errorf("ID %s", image.ID)
			}
		})
	}
}

func TestLayersThatNobodyLacksAreNotRead(t *testing.T) {
	t.Parallel()
	lowID, highID := digest.FromString(low(t)), digest.FromString(high(t))
	direct, streamed := newSink(lowID), newSink(lowID)
	if _, err := read(t, tarOf(t, layoutOf(t, low(t), high(t))...), Choice{}, streamed, direct); err != nil {
		t.Fatal(err)
	}
	for _, s := range []*sink{direct, streamed} {
		if s.got[lowID] != "" || s.got[highID] == "" || s.unknown > 1 {
			t.Errorf("read %d layers", len(s.got))
		}
	}
}

func TestOneImageOfSeveralIsChosen(t *testing.T) {
	t.Parallel()
	arm, other := configOf(t, "arm64", low(t)), configOf(t, "amd64", high(t))
	armManifest, otherManifest, manifest := manifestOf(t, arm, low(t)), manifestOf(t, other, high(t)), manifestOf(t, config(t), low(t), high(t))
	named := func(name string) func(*ocispec.Descriptor) {
		return func(d *ocispec.Descriptor) { d.Annotations = map[string]string{containerdName: name} }
	}
	attestation := entryOfText("gone", func(d *ocispec.Descriptor) { d.Platform = &ocispec.Platform{OS: "unknown", Architecture: "unknown"} })
	platforms := indexOf(t, entryOfText(armManifest, nil), entryOfText(manifest, nil), attestation)
	nested := entryOfText(platforms, func(d *ocispec.Descriptor) {
		named("docker.io/library/multi:dev")(d)
		d.MediaType = ocispec.MediaTypeImageIndex
	})
	archive := tarOf(t,
		blob(arm), blob(other), blob(config(t)), blob(armManifest), blob(otherManifest), blob(manifest), blob(low(t)), blob(high(t)), blob(platforms),
		file{name: "index.json", text: indexOf(t, nested, entryOfText(otherManifest, named("localhost/other:dev")), entryOfText("not pulled", named("localhost/absent:dev")))},
	)
	tests := map[string]struct {
		choice  Choice
		want    string
		wantErr string
	}{
		"by name":                      {choice: Choice{Name: "localhost/other:dev", Platform: "linux/amd64"}, want: other},
		"by name and platform":         {choice: Choice{Name: "multi:dev", Platform: "linux/amd64"}, want: config(t)},
		"by ID":                        {choice: Choice{ID: digest.FromString(arm)}, want: arm},
		"none for the nodes":           {choice: Choice{Name: "multi:dev", Platform: "linux/s390x"}, wantErr: "no image for linux/s390x, the platform of the nodes; there is linux/amd64, linux/arm64"},
		"several":                      {choice: Choice{Platform: "linux/amd64"}, wantErr: "several images; it has docker.io/library/multi:dev, localhost/other:dev"},
		"another name":                 {choice: Choice{Name: "localhost/x:y"}, wantErr: "no image localhost/x:y; it has docker.io/library/multi:dev, localhost/other:dev"},
		"listed, but never pulled":     {choice: Choice{Name: "localhost/absent:dev"}, wantErr: "no image localhost/absent:dev"},
		"the other platform by itself": {choice: Choice{Name: "multi:dev", Platform: "linux/arm64"}, want: arm},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image, err := read(t, archive, test.choice)
			if test.wantErr != "" {
				if err == nil || !strings.Contains(err.Error(), test.wantErr) {
					t.Errorf("error %v, want %q", err, test.wantErr)
				}
				return
			}
			if err != nil || string(image.Config) != test.want {
				t.Errorf("chose %s, %v", image.Config, err)
			}
		})
	}
}

func TestADigestChoosesAnImageAndNamesNone(t *testing.T) {
	t.Parallel()
	manifest, pinned := manifestOf(t, config(t), low(t), high(t)), "docker.io/library/x@"+someDigest
	entry := entryOfText(manifest, func(d *ocispec.Descriptor) { d.Annotations = map[string]string{containerdName: pinned} })
	archive := tarOf(t, blob(config(t)), blob(manifest), blob(low(t)), blob(high(t)), file{name: "index.json", text: indexOf(t, entry)})
	for _, name := range []string{"", pinned, "x:v1@" + someDigest} {
		image, err := read(t, archive, Choice{Name: name})
		if err != nil || len(image.Names) > 0 {
			t.Errorf("%q: named %v, %v", name, image.Names, err)
		}
	}
}

func TestBadArchivesAreRefused(t *testing.T) {
	t.Parallel()
	changed := func(change func([]file)) []byte {
		files := dockerArchive(t, `["localhost/x:dev"]`)
		change(files)
		return tarOf(t, files...)
	}
	badLayout := layoutOf(t, low(t), high(t))
	badLayout[1].text = strings.Replace(badLayout[1].text, "linux", "Linux", 1)
	whole := tarOf(t, dockerArchive(t, `[]`)...)
	for name, test := range map[string]struct {
		archive []byte
		want    string
	}{
		"nothing":                          {nil, ""},
		"no archive at all":                {bytes.Repeat([]byte("no archive "), 200), ""},
		"cut off":                          {whole[:len(low(t))/2], "cut off"},
		"a tar of something else":          {tarOf(t, file{name: "README", text: "hello"}), "neither an OCI layout nor a docker archive"},
		"a layer that is not there":        {tarOf(t, dockerArchive(t, `[]`)[1:]...), "cut off?"},
		"a config that is not there":       {changed(func(f []file) { f[2].name = "other.json" }), "config.json is not in it"},
		"another layer than the config's":  {changed(func(f []file) { f[1].text = layerOf(t, "other") }), "damaged"},
		"a blob that is not its digest":    {tarOf(t, badLayout...), "damaged"},
		"more layers than the config":      {changed(func(f []file) { f[2].text = configOf(t, "amd64", low(t)) }), "lists 2 layers, but its config has 1"},
		"a config of no platform":          {changed(func(f []file) { f[2].text = "{}" }), "no container image"},
		"a digest that is none":            {changed(func(f []file) { f[2].text = `{"os":"linux","architecture":"amd64","rootfs":{"diff_ids":["../x"]}}` }), `a layer "../x"`},
		"a path that leads out":            {tarOf(t, file{name: "../../etc/passwd", text: "x"}), "it is not an image archive"},
		"a link that leads out":            {tarOf(t, file{name: "a/layer.tar", link: "../../../etc/passwd"}), "it is not an image archive"},
		"a link to itself":                 {tarOf(t, append(dockerArchive(t, `[]`)[1:], file{name: "a/layer.tar", link: "layer.tar"})...), "not in it"},
		"a description of absurd size":     {changed(func(f []file) { f[3].text = "[" + strings.Repeat(" ", MaxMetadata) + "]" }), "too many for what describes an image"},
		"a manifest that is not readable":  {changed(func(f []file) { f[3].text = "[{" }), "manifest.json is not readable"},
		"an index that is not readable":    {tarOf(t, file{name: "index.json", text: "{"}), "index in it is not readable"},
		"an index that lists a non-digest": {tarOf(t, file{name: "index.json", text: `{"manifests":[{"digest":"sha256:../.."}]}`}), "sha256:../.."},
		"images that are all absent":       {tarOf(t, file{name: "index.json", text: indexOf(t, entryOfText("x", nil))}), "cut off?"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := read(t, test.archive, Choice{})
			if err == nil || !strings.Contains(err.Error(), test.want) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestContentThatGrowsWithoutMeasureIsRefused(t *testing.T) {
	t.Parallel()
	packed, writer := io.Pipe()
	defer packed.Close()
	go func() {
		zipping, err := zstd.NewWriter(writer)
		if err == nil {
			_, err = io.CopyN(zipping, zeros{}, 2*ratioFrom)
		}
		_ = writer.CloseWithError(err)
	}()
	plain, err := Decompressed(packed)
	if err != nil {
		t.Fatal(err)
	}
	got, err := io.Copy(io.Discard, plain)
	if err == nil || !strings.Contains(err.Error(), "which no real image does") || got > ratioFrom+ratioFrom/8 {
		t.Errorf("read %d bytes, error %v", got, err)
	}
}

// zeros is endless.
type zeros struct{}

// Read implements io.Reader.
func (zeros) Read(p []byte) (int, error) {
	clear(p)
	return len(p), nil
}

func TestAStreamThatGivesNothingEndsWithItsContext(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	silent, writer := io.Pipe()
	defer writer.Close()
	stopped := errors.New("stopped")
	go cancel(stopped)
	if _, err := OpenStream(silent, Choice{}, Image{}, silent).Read(ctx, newSink()); !errors.Is(err, stopped) {
		t.Errorf("error %v", err)
	}
}

func TestLargeDescriptionsThatNobodyNeedsAreNoMatter(t *testing.T) {
	t.Parallel()
	archive := append([]file{{name: blobPath(digest.FromString("x")), text: "{" + strings.Repeat(" ", MaxMetadata) + "}"}}, dockerArchive(t, `["localhost/x:dev"]`)...)
	if _, err := read(t, tarOf(t, archive...), Choice{}); err != nil {
		t.Error(err)
	}
}

func TestIndexesThatListWithoutEndAreRefused(t *testing.T) {
	t.Parallel()
	manifest := manifestOf(t, config(t), low(t), high(t))
	var entries []ocispec.Descriptor
	for range maxVisits + 1 {
		entries = append(entries, entryOfText(manifest, nil))
	}
	_, err := read(t, tarOf(t, blob(config(t)), blob(manifest), file{name: "index.json", text: indexOf(t, entries...)}), Choice{})
	if err == nil || !strings.Contains(err.Error(), "more images than any archive has") {
		t.Errorf("error %v", err)
	}
}

func TestIndexesThatNestWithoutEndAreRefused(t *testing.T) {
	t.Parallel()
	text := indexOf(t)
	var files []file
	for range maxDepth + 2 {
		files = append(files, blob(text))
		text = indexOf(t, entryOfText(text, func(d *ocispec.Descriptor) { d.MediaType = ocispec.MediaTypeImageIndex }))
	}
	_, err := read(t, tarOf(t, append(files, file{name: "index.json", text: text})...), Choice{})
	if err == nil || !strings.Contains(err.Error(), "nested too deep") {
		t.Errorf("error %v", err)
	}
}

func TestWhatAnEngineSaysIsBelieved(t *testing.T) {
	t.Parallel()
	lowID, highID := digest.FromString(low(t)), digest.FromString(high(t))
	known := Image{ID: digest.FromString(config(t)), DiffIDs: []digest.Digest{lowID, highID}}
	named := dockerArchive(t, `["localhost/x:dev"]`)
	named[0].name, named[1].name = lowID.Encoded()+".tar", highID.Encoded()+".tar"
	named[3].text = fmt.Sprintf(`[{"Config":"config.json","Layers":[%q,%q]}]`, named[0].name, named[1].name)
	to := newSink(lowID)
	image, err := OpenStream(bytes.NewReader(tarOf(t, named...)), Choice{ID: known.ID}, known, io.NopCloser(nil)).Read(t.Context(), to)
	if err != nil || image.ID != known.ID {
		t.Fatalf("%s, %v", image.ID, err)
	}
	if to.unknown != 0 || len(to.got) != 1 {
		t.Errorf("%d layers of %d came without a digest", to.unknown, len(to.got))
	}
	named[1].text = layerOf(t, "other")
	_, err = OpenStream(bytes.NewReader(tarOf(t, named...)), Choice{}, known, io.NopCloser(nil)).Read(t.Context(), newSink())
	var damaged *ContentError
	if !errors.As(err, &damaged) {
		t.Errorf("error %v, want a ContentError", err)
	}
}

func TestAManifestOfPlainLayers(t *testing.T) {
	t.Parallel()
	image, err := ParseConfig([]byte(config(t)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := image.Manifest(func(d digest.Digest) int64 { return int64(len(d)) })
	if err != nil {
		t.Fatal(err)
	}
	var manifest ocispec.Manifest
	if err := json.Unmarshal(text, &manifest); err != nil {
		t.Fatal(err)
	}
	if manifest.Config.Digest != image.ID || len(manifest.Layers) != 2 || manifest.Layers[1].Digest != digest.FromString(high(t)) ||
		manifest.Layers[0].MediaType != ocispec.MediaTypeImageLayer || manifest.Layers[0].Size != 71 {
		t.Errorf("%s", text)
	}
	if chains := image.ChainIDs(); chains[0] != image.DiffIDs[0] || image.DiffIDs[1] != digest.FromString(high(t)) {
		t.Errorf("chains %v of %v", chains, image.DiffIDs)
	}
}

func TestPlatformsAreWrittenAsNodesAre(t *testing.T) {
	t.Parallel()
	for want, parts := range map[string][3]string{
		"linux/amd64": {"linux", "amd64", ""}, "linux/arm64": {"linux", "arm64", "v8"}, "linux/arm/v7": {"linux", "arm", "v7"},
	} {
		if got := Platform(parts[0], parts[1], parts[2]); got != want {
			t.Errorf("%v is %s, want %s", parts, got, want)
		}
	}
}

// FuzzArchives looks for archives that hang, panic or eat memory, and for content
// that gets through although it is not what the image says.
func FuzzArchives(f *testing.F) {
	for _, archive := range [][]file{dockerArchive(f, `["localhost/x:dev"]`), layoutOf(f, low(f), high(f)), layoutOf(f, zip(low(f)), zstandard(high(f)))} {
		f.Add(tarOf(f, archive...))
		f.Add([]byte(zip(string(tarOf(f, archive...)))))
	}
	f.Fuzz(func(t *testing.T, archive []byte) {
		for _, open := range []func() (Source, error){
			func() (Source, error) {
				return OpenStream(bytes.NewReader(archive), Choice{}, Image{}, io.NopCloser(nil)), nil
			},
			func() (Source, error) {
				r := bytes.NewReader(archive)
				return OpenTar(r, r, Choice{}, io.NopCloser(nil))
			},
		} {
			source, err := open()
			if err != nil {
				continue
			}
			to := newSink()
			image, err := source.Read(t.Context(), to)
			if err != nil {
				continue
			}
			if image.ID != digest.FromBytes(image.Config) {
				t.Errorf("image %s has the config of another", image.ID)
			}
			for _, diffID := range image.DiffIDs {
				if text, came := to.got[diffID]; !came || diffID != diffID.Algorithm().FromString(text) {
					t.Errorf("layer %s did not come", diffID)
				}
			}
		}
	})
}
