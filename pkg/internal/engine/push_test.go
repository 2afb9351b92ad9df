package engine

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/random"
	"github.com/opencontainers/go-digest"
)

// pusher pushes as docker with containerd's store does.
type pusher struct {
	base, auth string
	// sent are the blobs that had to come.
	sent []string
}

func (p *pusher) do(method, url string, body []byte) (*http.Response, error) {
	request, err := http.NewRequest(method, url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	request.Header.Set("Authorization", "Basic "+p.auth)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return nil, err
	}
	return response, response.Body.Close()
}

func (p *pusher) blob(d string, content []byte) error {
	head, err := p.do(http.MethodHead, p.base+"/blobs/"+d, nil)
	if err != nil || head.StatusCode == http.StatusOK {
		return err
	}
	begun, err := p.do(http.MethodPost, p.base+"/blobs/uploads/", nil)
	if err != nil {
		return err
	}
	p.sent = append(p.sent, d)
	put, err := p.do(http.MethodPut, begun.Header.Get("Location")+"?digest="+d, content)
	if err == nil && put.StatusCode != http.StatusCreated {
		err = errors.New("unexpected status from PUT request: " + put.Status)
	}
	return err
}

func (p *pusher) manifest(reference string, text []byte) error {
	put, err := p.do(http.MethodPut, p.base+"/manifests/"+reference, text)
	if err == nil && put.StatusCode != http.StatusCreated {
		err = errors.New("unexpected status from PUT request: " + put.Status)
	}
	return err
}

// push pushes an index with the image and an attestation.
func (p *pusher) push(image v1.Image) error {
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		d, _ := layer.Digest()
		packed, err := layer.Compressed()
		if err != nil {
			return err
		}
		content, err := io.ReadAll(packed)
		if err != nil {
			return err
		}
		if err := p.blob(d.String(), content); err != nil {
			return err
		}
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	id, _ := image.ConfigName()
	if err := p.blob(id.String(), config); err != nil {
		return err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	attestation, err := random.Image(10, 1)
	if err != nil {
		return err
	}
	index := mutate.AppendManifests(empty.Index,
		mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{Platform: &v1.Platform{OS: "linux", Architecture: "amd64"}}},
		mutate.IndexAddendum{Add: attestation, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "unknown", Architecture: "unknown"}, Annotations: map[string]string{"vnd.docker.reference.type": "attestation-manifest"},
		}})
	list, err := index.RawManifest()
	if err != nil {
		return err
	}
	if err := p.manifest(digest.FromBytes(manifest).String(), manifest); err != nil {
		return err
	}
	return p.manifest("latest", list)
}

// docker26 is docker with containerd's store that has one image.
func docker26(t *testing.T, image v1.Image) (host, *[]*pusher) {
	t.Helper()
	var pushes []*pusher
	return host{
		"engine context inspect": prints("unix:///var/run/docker.sock\n"),
		"engine tag":             prints(""),
		"engine image rm":        prints(""),
		"engine --config": func(argv []string, _ io.Writer) error {
			text, err := os.ReadFile(filepath.Join(argv[2], "config.json"))
			if err != nil {
				return err
			}
			var login struct {
				Auths map[string]struct{ Auth string }
			}
			if err := json.Unmarshal(text, &login); err != nil {
				return err
			}
			address, rest, _ := strings.Cut(argv[len(argv)-1], "/")
			repository, _, _ := strings.Cut(rest, ":")
			user, err := base64.StdEncoding.DecodeString(login.Auths[address].Auth)
			if err != nil || strings.Contains(strings.Join(argv, " "), strings.TrimPrefix(string(user), "e2eimage:")) {
				t.Errorf("the password stands among the arguments: %v, %v", argv, err)
			}
			p := &pusher{base: "http://" + address + "/v2/" + repository, auth: login.Auths[address].Auth}
			pushes = append(pushes, p)
			return p.push(image)
		},
	}, &pushes
}

func TestDockerWithContainerdsStorePushesOnlyTheLayersThatNodesLack(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	said.Names, said.inContainerd, said.EngineID = []string{"localhost/x:dev"}, true, oneID
	id := said.ImageID
	said.ImageID = ""
	answers, pushes := docker26(t, image)
	n := &node{has: said.DiffIDs[:2]}
	got, _, err := readAll(t, said, answers, n)
	if err != nil || got.ID.String() != id {
		t.Fatalf("read %s, %v; want %s", got.ID, err, id)
	}
	if want := said.DiffIDs[2:]; !slices.Equal(n.got, want) {
		t.Errorf("nodes got %v, want %v", n.got, want)
	}
	if len(*pushes) != 2 || len((*pushes)[0].sent) != 0 || len((*pushes)[1].sent) != 2 {
		t.Errorf("%d pushes: %+v; want one of nothing, then one of the config and a layer", len(*pushes), *pushes)
	}
}

func TestDockersImageIDIsFoundOutByAPushOfNothing(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	said.Names, said.inContainerd = []string{"localhost/x:dev"}, true
	id := said.ImageID
	said.ImageID = ""
	answers, pushes := docker26(t, image)
	if err := said.Identify(t.Context(), answers); err != nil || said.ImageID != id || len((*pushes)[0].sent) != 0 {
		t.Errorf("identified as %q, %v; want %s", said.ImageID, err, id)
	}
}

func TestAPushThatCannotBeIsMadeGoodByTheWholeImage(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(h host, i *Image){
		"the daemon is elsewhere": func(h host, _ *Image) { h["engine context inspect"] = prints("ssh://host\n") },
		"the daemon is not said":  func(h host, _ *Image) { h["engine context inspect"] = prints("") },
		"a warning before it":     func(h host, _ *Image) { h["engine context inspect"] = prints("WARNING: x\nunix:///s\n") },
		"another local address":   func(h host, _ *Image) { h["engine context inspect"] = prints("tcp://127.0.0.2:1\n") },
		"a host that begins so":   func(h host, _ *Image) { h["engine context inspect"] = prints("tcp://localhost.example:1\n") },
		"it says it has pushed":   func(h host, _ *Image) { h["engine --config"] = prints("done\n") },
		"the image has no name":   func(_ host, i *Image) { i.Names = nil },
		"docker does not push":    func(h host, _ *Image) { h["engine --config"] = fails(t, "denied") },
		"it is another image by now": func(h host, _ *Image) {
			other, _ := built(t)
			push := h["engine --config"]
			again, _ := docker26(t, other)
			calls := 0
			h["engine --config"] = func(argv []string, out io.Writer) error {
				if calls++; calls == 1 {
					return push(argv, out)
				}
				return again["engine --config"](argv, out)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			image, said := built(t)
			id := said.ImageID
			said.Names, said.inContainerd, said.ImageID = []string{"localhost/x:dev"}, true, ""
			answers, _ := docker26(t, image)
			answers["engine save"] = saves(t, image)
			spoil(answers, &said)
			n := &node{}
			got, _, err := readAll(t, said, answers, n)
			if err != nil || got.ID.String() != id {
				t.Errorf("read %s, %v; want %s", got.ID, err, id)
			}
		})
	}
}

func TestASinkTakesNothingFromStrangers(t *testing.T) {
	t.Parallel()
	to, err := listen(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	defer to.Close()
	for _, auth := range []string{"", base64.StdEncoding.EncodeToString([]byte("e2eimage:"))} {
		p := &pusher{base: "http://" + to.address, auth: auth}
		for _, path := range []string{"/v2/", "/v2/e2eimage/manifests/push", "/v2/e2eimage/blobs/" + oneID} {
			response, err := p.do(http.MethodPut, p.base+path, []byte("{}"))
			if err != nil || response.StatusCode != http.StatusUnauthorized {
				t.Errorf("%s with %q: %v, %v", path, auth, response, err)
			}
		}
	}
	if len(to.manifests) > 0 {
		t.Error("a stranger's manifest was kept")
	}
	if fmt.Sprint(to.tagged) != "" {
		t.Error("a stranger's tag was kept")
	}
}

func TestAnImageOfAnotherIndexIsTheSame(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	said.Names, said.inContainerd, said.EngineID = []string{"localhost/x:dev"}, true, oneID
	id := said.ImageID
	for name, test := range map[string]struct {
		engineID, imageID string
		want              bool
	}{
		"by the engine's ID":      {oneID, "", true},
		"by the image ID":         {twoID, id, true},
		"another":                 {twoID, twoID, false},
		"one whose ID is unknown": {twoID, "", false},
	} {
		answers, _ := docker26(t, image)
		again := said
		again.ImageID = ""
		if got := again.Is(t.Context(), answers, test.engineID, test.imageID); got != test.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestASignatureInAnIndexIsNotTheImage(t *testing.T) {
	t.Parallel()
	image := []byte(`{"config":{"mediaType":"application/vnd.oci.image.config.v1+json"},"layers":[]}`)
	signature := []byte(`{"artifactType":"application/x-signature","config":{"mediaType":"application/vnd.oci.empty.v1+json"},"layers":[]}`)
	entry := func(manifest []byte) string {
		return fmt.Sprintf(`{"digest":%q,"platform":{"os":"linux","architecture":"amd64"}}`, digest.FromBytes(manifest))
	}
	index := []byte(`{"manifests":[` + entry(signature) + `,` + entry(image) + `]}`)
	to := &sink{manifests: map[digest.Digest][]byte{}}
	for _, text := range [][]byte{image, signature, index} {
		to.manifests[digest.FromBytes(text)] = text
	}
	if got, err := to.find(digest.FromBytes(index), "linux/amd64", 0); err != nil || !bytes.Equal(got, image) {
		t.Errorf("found %s, %v", got, err)
	}
}
