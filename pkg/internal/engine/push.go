package engine

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// pushTag is what an image is called in a sink, behind a name that is drawn.
const pushTag = "push"

// untagLimit bounds the removal of that name when the caller's context has ended.
const untagLimit = 10 * time.Second

// push lets docker push the image to a sink. docker gets the sink's password from a
// configuration of its own: the user's is not touched, and process lists do not show it.
func (i Image) push(ctx context.Context, runner hostexec.Runner, to *sink) (err error) {
	if len(i.Names) == 0 {
		// Taking away the only name of an image deletes it.
		return errors.New("an image without a name is not pushed")
	}
	endpoint, err := dockerEndpoint(ctx, runner, i.Engine)
	if err != nil {
		return err
	}
	dir, err := os.MkdirTemp("", "e2eimage-push-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	if err := writeLogin(dir, to); err != nil {
		return err
	}
	name := fmt.Sprintf("%s/e2eimage/%s:%s", to.address, strings.ToLower(rand.Text()), pushTag)
	if err := i.Name(ctx, runner, name); err != nil {
		return err
	}
	defer func() {
		untagging, cancel := outlive.Context(ctx, untagLimit)
		defer cancel()
		err = errors.Join(err, runner.Run(untagging, hostexec.Command{Argv: []string{i.Engine, "image", "rm", "--", name}, Stdout: io.Discard}))
	}()
	argv := []string{i.Engine, "--config", dir, "--host", endpoint, "push", "--quiet", name}
	err = runner.Run(ctx, hostexec.Command{Argv: argv, Stdout: io.Discard})
	// What the sink met is why docker gave up.
	return errors.Join(to.err(), err)
}

// dockerEndpoint is where the docker command finds its daemon. Only a daemon on this
// host can reach a port of this host's loopback interface.
func dockerEndpoint(ctx context.Context, runner hostexec.Runner, engine string) (string, error) {
	var out bytes.Buffer
	err := runner.Run(ctx, hostexec.Command{Argv: []string{engine, "context", "inspect", "--format", "{{.Endpoints.docker.Host}}"}, Stdout: &out})
	if err != nil {
		return "", err
	}
	endpoint := strings.TrimSpace(out.String())
	for _, local := range []string{"unix://", "tcp://127.0.0.1:", "tcp://localhost:"} {
		if strings.HasPrefix(endpoint, local) {
			return endpoint, nil
		}
	}
	return "", fmt.Errorf("its daemon is at %s, not on this host", endpoint)
}

func writeLogin(dir string, to *sink) error {
	login := map[string]any{"auths": map[string]any{
		to.address: map[string]string{"auth": base64.StdEncoding.EncodeToString([]byte(to.user + ":" + to.password))},
	}}
	text, err := json.Marshal(login)
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "config.json"), text, 0o600)
}

// Identify asks the engine for the digest of the image's config where Find could not
// tell it. The image must have a name.
func (i *Image) Identify(ctx context.Context, runner hostexec.Runner) error {
	if i.ImageID != "" {
		return nil
	}
	manifest, err := i.askManifest(ctx, runner)
	if err != nil {
		return err
	}
	i.ImageID = manifest.Config.Digest.String()
	return nil
}

// Is tells whether it is the image with one of these IDs. An engine can have a new ID for
// the same image: an attestation of the time makes each build another index.
func (i *Image) Is(ctx context.Context, runner hostexec.Runner, engineID, imageID string) bool {
	if i.EngineID == engineID {
		return true
	}
	return imageID != "" && i.Identify(ctx, runner) == nil && i.ImageID == imageID
}

// pushedManifest is the manifest of one platform that an engine pushed.
type pushedManifest struct {
	ocispec.Manifest
	// layers are the diff IDs by the digests of the layers as the engine has them.
	layers map[digest.Digest]digest.Digest
}

// askManifest lets docker push the image without any blob, which tells its manifest:
// docker with containerd's store says it nowhere else.
func (i Image) askManifest(ctx context.Context, runner hostexec.Runner) (*pushedManifest, error) {
	to, err := listen(
		func(context.Context, digest.Digest) (bool, error) { return true, nil },
		func(_ context.Context, _ digest.Digest, content io.Reader) error {
			_, err := io.Copy(io.Discard, content)
			return err
		})
	if err != nil {
		return nil, err
	}
	defer to.Close()
	if err := i.push(ctx, runner, to); err != nil {
		return nil, err
	}
	return i.pushed(to)
}

// pushed finds the manifest of the image's platform among those that came.
func (i Image) pushed(to *sink) (*pushedManifest, error) {
	found, err := to.find(to.tagged, i.Platform, 0)
	if err != nil {
		return nil, err
	}
	var p pushedManifest
	if err := json.Unmarshal(found, &p.Manifest); err != nil {
		return nil, fmt.Errorf("the manifest that it pushed is not readable: %w", err)
	}
	if err := p.Config.Digest.Validate(); err != nil {
		return nil, fmt.Errorf("the manifest that it pushed names no config: %w", err)
	}
	if len(p.Layers) != len(i.DiffIDs) {
		return nil, fmt.Errorf("the manifest that it pushed has %d layers, the image %d", len(p.Layers), len(i.DiffIDs))
	}
	p.layers = make(map[digest.Digest]digest.Digest, len(p.Layers))
	for n, layer := range p.Layers {
		p.layers[layer.Digest] = i.DiffIDs[n]
	}
	return &p, nil
}

// find follows indexes to the one manifest of a platform.
func (s *sink) find(d digest.Digest, platform string, depth int) ([]byte, error) {
	text := s.manifests[d]
	var index ocispec.Index
	if err := json.Unmarshal(text, &index); err != nil || depth > 2 {
		return nil, fmt.Errorf("what it pushed is no image: %s", ociimage.ShortID(d.String()))
	}
	if len(index.Manifests) == 0 {
		return text, nil
	}
	var fitting []digest.Digest
	for _, entry := range index.Manifests {
		p := entry.Platform
		if entry.Annotations["vnd.docker.reference.type"] == "" && p != nil && ociimage.Platform(p.OS, p.Architecture, p.Variant) == platform {
			fitting = append(fitting, entry.Digest)
		}
	}
	if len(fitting) != 1 {
		return nil, fmt.Errorf("the index that it pushed has %d images for %s", len(fitting), platform)
	}
	return s.find(fitting[0], platform, depth+1)
}
