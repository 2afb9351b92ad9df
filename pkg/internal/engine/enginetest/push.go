package enginetest

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/go-digest"
	ocispec "github.com/opencontainers/image-spec/specs-go/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// push is `docker --config FOLDER push NAME`: as much of the distribution specification as
// an image without layers needs.
func (e *Engine) push(ctx context.Context, command hostexec.Command) error {
	name := command.Argv[len(command.Argv)-1]
	e.mu.Lock()
	image, _, err := e.find(name)
	e.mu.Unlock()
	if err != nil {
		return &hostexec.CommandError{Argv: command.Argv, Stderr: err.Error(), Err: failed()}
	}
	to, err := newPushing(flag(command.Argv, "--config"), name)
	if err != nil {
		return err
	}
	defer to.client.CloseIdleConnections()
	config := digest.FromBytes(image.config)
	switch has, err := to.call(ctx, http.MethodHead, "/blobs/"+config.String(), "", nil); {
	case err != nil:
		return err
	case has != http.StatusOK:
		if _, err := to.call(ctx, http.MethodPut, "/blobs/uploads/?digest="+config.String(), "application/octet-stream",
			image.config); err != nil {
			return err
		}
	}
	_, err = to.call(ctx, http.MethodPut, "/manifests/"+to.tag, ocispec.MediaTypeImageManifest, image.manifest)
	return err
}

type pushing struct {
	client *http.Client
	// base is where the repository is, with user and password.
	base, tag string
}

func newPushing(config, name string) (*pushing, error) {
	address, rest, _ := strings.Cut(name, "/")
	repository, tag, _ := strings.Cut(rest, ":")
	text, err := os.ReadFile(filepath.Join(config, "config.json"))
	if err != nil {
		return nil, err
	}
	var login struct {
		Auths map[string]struct{ Auth string }
	}
	if err := json.Unmarshal(text, &login); err != nil {
		return nil, err
	}
	secret, err := base64.StdEncoding.DecodeString(login.Auths[address].Auth)
	return &pushing{
		client: &http.Client{Transport: &http.Transport{}}, tag: tag,
		base: fmt.Sprintf("http://%s@%s/v2/%s", secret, address, repository),
	}, err
}

func (p *pushing) call(ctx context.Context, method, path, mediaType string, body []byte) (int, error) {
	request, err := http.NewRequestWithContext(ctx, method, p.base+path, bytes.NewReader(body))
	if err != nil {
		return 0, err
	}
	request.Header.Set("Content-Type", mediaType)
	answer, err := p.client.Do(request)
	if err != nil {
		return 0, err
	}
	_ = answer.Body.Close()
	if answer.StatusCode >= 400 && answer.StatusCode != http.StatusNotFound {
		return answer.StatusCode, fmt.Errorf("%s %s: %s", method, path, answer.Status)
	}
	return answer.StatusCode, nil
}
