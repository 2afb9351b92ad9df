package ociimage

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"
)

// artifact is a manifest of what is no image, with the blobs that it has.
func artifact(t *testing.T, configType, config, layerType, artifactType string) (string, []file) {
	t.Helper()
	const body = "{\"critical\":{}}"
	text, err := json.Marshal(ocispec.Manifest{
		ArtifactType: artifactType,
		Config:       ocispec.Descriptor{MediaType: configType, Digest: digest.FromString(config), Size: int64(len(config))},
		Layers:       []ocispec.Descriptor{{MediaType: layerType, Digest: digest.FromString(body), Size: int64(len(body))}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return string(text), []file{blob(config), blob(body), blob(string(text))}
}

func TestWhatIsNoImageIsPassedOver(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ configType, config, layerType, artifactType, mediaType, want string }{
		"a signature of cosign":      {ocispec.MediaTypeImageConfig, `{"os":"","architecture":"","rootfs":{"diff_ids":[]}}`, "application/vnd.dev.cosign.simplesigning.v1+json", "", ocispec.MediaTypeImageManifest, "simplesigning"},
		"an SBOM of cosign":          {ocispec.MediaTypeImageConfig, `{}`, "text/spdx+json", "", ocispec.MediaTypeImageManifest, "text/spdx+json"},
		"a referrer":                 {ocispec.MediaTypeEmptyJSON, `{}`, "application/vnd.dev.sigstore.bundle.v0.3+json", "application/vnd.dev.sigstore.bundle.v0.3+json", ocispec.MediaTypeImageManifest, "sigstore.bundle"},
		"a Helm chart":               {"application/vnd.cncf.helm.config.v1+json", `{"name":"case"}`, "application/vnd.cncf.helm.chart.content.v1.tar+gzip", "", ocispec.MediaTypeImageManifest, "helm.config"},
		"files that oras pushed":     {"application/vnd.unknown.config.v1+json", `{}`, ocispec.MediaTypeImageLayer, "", ocispec.MediaTypeImageManifest, "unknown.config"},
		"an attestation of in-toto":  {ocispec.MediaTypeImageConfig, `{"os":"linux","architecture":"amd64"}`, "application/vnd.in-toto+json", "", ocispec.MediaTypeImageManifest, "in-toto"},
		"a bundle of no platform":    {ocispec.MediaTypeImageConfig, `{"rootfs":{"diff_ids":["` + digest.FromString("x").String() + `"]}}`, ocispec.MediaTypeImageLayer, "", "", "no platform"},
		"an artifact manifest":       {ocispec.MediaTypeEmptyJSON, `{}`, "text/plain", "", "application/vnd.oci.artifact.manifest.v1+json", "artifact.manifest"},
		"docker's manifest of 2015":  {"", `{}`, "", "", "application/vnd.docker.distribution.manifest.v1+prettyjws", "manifest.v1"},
		"a config that was not kept": {"application/vnd.cncf.helm.config.v1+json", "", "text/plain", "", ocispec.MediaTypeImageManifest, "helm.config"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			manifest, files := artifact(t, test.configType, test.config, test.layerType, test.artifactType)
			if test.config == "" {
				files = files[1:]
			}
			beside := entryOfText(manifest, func(d *ocispec.Descriptor) {
				d.MediaType = test.mediaType
				d.Annotations = map[string]string{ocispec.AnnotationRefName: "0.1.0"}
			})
			image := manifestOf(t, config(t), low(t), high(t))
			nested := indexOf(t, beside)
			for place, entry := range map[string]ocispec.Descriptor{"in the index": beside, "below it": entryOfText(nested, func(d *ocispec.Descriptor) { d.MediaType = ocispec.MediaTypeImageIndex })} {
				archive := append([]file{blob(config(t)), blob(low(t)), blob(high(t)), blob(image), blob(nested)}, files...)
				found, err := read(t, tarOf(t, append(archive, file{name: "index.json", text: indexOf(t, entry, entryOfText(image, nil))})...), Choice{Platform: "linux/amd64"})
				if err != nil || string(found.Config) != config(t) {
					t.Errorf("%s: chose %s, %v", place, found.Config, err)
				}
				_, err = read(t, tarOf(t, append(archive, file{name: "index.json", text: indexOf(t, entry)})...), Choice{Platform: "linux/amd64"})
				if err == nil || !strings.Contains(err.Error(), "no image in it; it has ") || !strings.Contains(err.Error(), test.want) {
					t.Errorf("%s, alone: %v", place, err)
				}
			}
		})
	}
}

func TestImagesOfAllMediaTypesAreImages(t *testing.T) {
	t.Parallel()
	for _, configType := range []string{"", ocispec.MediaTypeImageConfig, "application/vnd.docker.container.image.v1+json"} {
		for _, layerType := range []string{
			"", ocispec.MediaTypeImageLayer, ocispec.MediaTypeImageLayerGzip, ocispec.MediaTypeImageLayerZstd,
			"application/vnd.oci.image.layer.nondistributable.v1.tar+gzip", "application/vnd.docker.image.rootfs.diff.tar.gzip", "application/vnd.docker.image.rootfs.foreign.diff.tar.gzip",
		} {
			manifest := ocispec.Manifest{Config: ocispec.Descriptor{MediaType: configType}, Layers: []ocispec.Descriptor{{MediaType: layerType}}}
			if artifact := Artifact(manifest); artifact != "" {
				t.Errorf("config %q, layer %q is taken for %s", configType, layerType, artifact)
			}
		}
	}
}
