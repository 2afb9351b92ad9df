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
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// untagLimit bounds the removal of a push's name.
const untagLimit = 10 * time.Second

// pushing lets docker push an image to a sink, as often as it takes.
type pushing struct {
	image    Image
	runner   hostexec.Runner
	to       *sink
	endpoint string
	// name that the image has meanwhile, for the sink.
	name string
	// scratch has docker's configuration for it, with the sink's password: the user's is
	// not touched, and process lists do not show it.
	scratch *scratch
}

// startPushing makes all ready for pushes of the image. The caller closes it.
func (i Image) startPushing(ctx context.Context, runner hostexec.Runner) (p *pushing, err error) {
	if len(i.Names) == 0 {
		// Taking away the only name of an image deletes it.
		return nil, errors.New("an image without a name is not pushed")
	}
	p = &pushing{image: i, runner: runner}
	if p.endpoint, err = dockerEndpoint(ctx, runner, i.Engine); err != nil {
		return nil, err
	}
	if p.to, err = listen(ctx); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, p.close(ctx))
		}
	}()
	if p.scratch, err = newScratch(ctx, runner); err != nil {
		return p, err
	}
	if err = writeLogin(p.scratch.dir, p.to); err != nil {
		return p, err
	}
	// containerd notes with each layer in which repositories of a registry it is: always
	// the same one.
	name := fmt.Sprintf("%s/e2eimage:%s", p.to.address, strings.ToLower(rand.Text()))
	if err = p.scratch.note(i.Engine, name); err != nil {
		return p, err
	}
	// A command that is cut off may have given it all the same.
	p.name = name
	return p, i.Name(ctx, runner, name)
}

// push lets docker push once. What is asked and comes is told to blobs.
func (p *pushing) push(ctx context.Context, blobs blobs) error {
	p.to.expect(blobs)
	argv := []string{p.image.Engine, "--config", p.scratch.dir, "--host", p.endpoint, "push", "--quiet", p.name}
	err := p.runner.Run(ctx, hostexec.Command{Argv: argv, Stdout: io.Discard})
	// What the sink met is why docker gave up.
	return errors.Join(p.to.err(), err)
}

// close takes back what pushing took, also where ctx has ended.
func (p *pushing) close(ctx context.Context) error {
	err := p.to.Close()
	if p.scratch == nil {
		return err
	}
	var unnamed error
	if p.name != "" {
		untagging, cancel := context.WithTimeout(context.WithoutCancel(ctx), untagLimit)
		defer cancel()
		unnamed = unname(untagging, p.runner, p.image.Engine, p.name)
	}
	return errors.Join(err, p.scratch.closeUnless(unnamed))
}

// dockerEndpoint is where the docker command finds its daemon. Only a daemon on this
// host can reach a port of this host's loopback interface.
func dockerEndpoint(ctx context.Context, runner hostexec.Runner, engine string) (string, error) {
	var out bytes.Buffer
	err := runner.Run(ctx, hostexec.Command{Argv: []string{
		engine, "context", "inspect", "--format",
		"{{.Endpoints.docker.Host}}",
	}, Stdout: &out})
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
	p, err := i.startPushing(ctx, runner)
	if err != nil {
		return err
	}
	manifest, err := p.manifest(ctx)
	if err = errors.Join(err, p.close(ctx)); err != nil {
		return err
	}
	i.ImageID = manifest.Config.Digest.String()
	return nil
}

// TryToIdentify asks for the digest of the image's config. Where the engine does not tell
// it, loading the image will.
func (i *Image) TryToIdentify(ctx context.Context, runner hostexec.Runner) {
	if err := i.Identify(ctx, runner); err != nil && ctx.Err() == nil {
		klog.FromContext(ctx).V(6).Info("the image ID is not known before it is loaded", "because", err.Error())
	}
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

// manifest lets docker push the image without any blob, which tells its manifest: docker
// with containerd's store says it nowhere else.
func (p *pushing) manifest(ctx context.Context) (*pushedManifest, error) {
	if err := p.push(ctx, noBlobs{}); err != nil {
		return nil, err
	}
	return p.image.pushed(p.to)
}

// noBlobs wants no blob.
type noBlobs struct{}

func (noBlobs) has(context.Context, digest.Digest) (bool, error) { return true, nil }

func (noBlobs) take(_ context.Context, _ digest.Digest, content io.Reader) error {
	_, err := io.Copy(io.Discard, content)
	return err
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
		if entry.Annotations["vnd.docker.reference.type"] == "" && !s.isArtifact(entry.Digest) && p != nil &&
			ociimage.Platform(p.OS, p.Architecture, p.Variant) == platform {
			fitting = append(fitting, entry.Digest)
		}
	}
	if len(fitting) != 1 {
		return nil, fmt.Errorf("the index that it pushed has %d images for %s", len(fitting), platform)
	}
	return s.find(fitting[0], platform, depth+1)
}

// isArtifact tells whether a manifest is of no image.
func (s *sink) isArtifact(d digest.Digest) bool {
	var manifest ocispec.Manifest
	return json.Unmarshal(s.manifests[d], &manifest) == nil && ociimage.Artifact(manifest) != ""
}
