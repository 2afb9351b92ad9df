package engine

import (
	"bytes"
	"compress/gzip"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	"github.com/vbatts/tar-split/tar/asm"
	"github.com/vbatts/tar-split/tar/storage"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// overlay2 is the storage driver whose layers are read.
const overlay2 = "overlay2"

// dockerStore is an image in docker's own store, of which single layers can be
// read, as docker save does (github.com/moby/moby/v2/daemon/internal/layer): a
// layer is its unpacked files and a description of the tar archive that they came
// in. All that is read is held against its digest.
type dockerStore struct {
	known ociimage.Image
	root  string
	// whole is what to read where single layers cannot be.
	whole func() ociimage.Source
}

var _ ociimage.Source = (*dockerStore)(nil)

// openStore returns the image in docker's store, if docker has one that this
// process may read.
func (i Image) openStore(ctx context.Context, runner hostexec.Runner, whole func() ociimage.Source) (ociimage.Source, error) {
	var out bytes.Buffer
	err := runner.Run(ctx, hostexec.Command{Argv: []string{i.Engine, "info", "--format", `{"Root":{{json .DockerRootDir}},"Driver":{{json .Driver}}}`}, Stdout: &out})
	if err != nil {
		return nil, err
	}
	var info struct{ Root, Driver string }
	if err := json.Unmarshal(out.Bytes(), &info); err != nil {
		return nil, err
	}
	if info.Driver != overlay2 || !filepath.IsAbs(info.Root) {
		return nil, fmt.Errorf("its storage driver is %s", info.Driver)
	}
	id := digest.Digest(i.EngineID)
	config, err := os.ReadFile(filepath.Join(info.Root, "image", overlay2, "imagedb", "content", id.Algorithm().String(), id.Encoded()))
	if err != nil {
		return nil, err
	}
	image, err := ociimage.ParseConfig(config)
	if err != nil {
		return nil, err
	}
	if image.ID != id {
		return nil, &ociimage.ContentError{What: "its config", Want: id, Got: image.ID}
	}
	image.Names = i.Names
	store := &dockerStore{known: image, root: info.Root, whole: whole}
	for _, chain := range image.ChainIDs() {
		if _, err := store.files(chain); err != nil {
			return nil, err
		}
	}
	return store, nil
}

// Image implements ociimage.Source.
func (s *dockerStore) Image() (ociimage.Image, bool) { return s.known, true }

// Close implements ociimage.Source.
func (s *dockerStore) Close() error { return nil }

// layerDir is where docker keeps what it knows of a layer.
func (s *dockerStore) layerDir(chain digest.Digest) string {
	return filepath.Join(s.root, "image", overlay2, "layerdb", chain.Algorithm().String(), chain.Encoded())
}

// files is the folder with a layer's files.
func (s *dockerStore) files(chain digest.Digest) (string, error) {
	id, err := os.ReadFile(filepath.Join(s.layerDir(chain), "cache-id"))
	if err != nil {
		return "", err
	}
	name := strings.TrimSpace(string(id))
	if !filepath.IsLocal(name) {
		return "", fmt.Errorf("layer %s is in %q", ociimage.ShortID(chain.String()), name)
	}
	dir := filepath.Join(s.root, overlay2, name, "diff")
	_, err = os.Stat(dir)
	return dir, err
}

// Read implements ociimage.Source. A layer that cannot be read, because it is just
// being removed or docker keeps it otherwise, comes with the whole image.
func (s *dockerStore) Read(ctx context.Context, to ociimage.Receiver) (ociimage.Image, error) {
	chains := s.known.ChainIDs()
	for i, diffID := range s.known.DiffIDs {
		wanted, err := to.Wants(ctx, diffID)
		if err != nil {
			return s.known, err
		}
		if !wanted {
			continue
		}
		if err := s.hand(ctx, to, chains[i], diffID); err != nil {
			if ctx.Err() != nil {
				return s.known, err
			}
			klog.FromContext(ctx).V(6).Info("the whole image is saved", "because", err.Error())
			whole := s.whole()
			defer func() { _ = whole.Close() }()
			return whole.Read(ctx, to)
		}
	}
	return s.known, nil
}

func (s *dockerStore) hand(ctx context.Context, to ociimage.Receiver, chain, diffID digest.Digest) error {
	dir, err := s.files(chain)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir)
	if err != nil {
		return err
	}
	description, err := os.Open(filepath.Join(s.layerDir(chain), "tar-split.json.gz"))
	if err != nil {
		return errors.Join(err, root.Close())
	}
	plain, err := gzip.NewReader(description)
	if err == nil {
		tar := asm.NewOutputTarStream(getter{root}, storage.NewJSONUnpacker(plain))
		_, err = to.Layer(ctx, diffID, tar)
		err = errors.Join(err, tar.Close())
	}
	return errors.Join(err, description.Close(), root.Close())
}

// getter opens a layer's files; none leads out of the layer.
type getter struct{ *os.Root }

// Get implements storage.FileGetter.
func (g getter) Get(name string) (io.ReadCloser, error) {
	return g.Open(strings.TrimLeft(filepath.Clean(name), "/"))
}
