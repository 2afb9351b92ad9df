package e2e

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// artifacts is what a run leaves. It stays.
const artifacts = "../artifacts"

// compile builds services whose coverage is counted, each into a folder of its own: what
// has not changed is not built into an image again.
func compile(ctx context.Context, services ...string) error {
	for _, service := range services {
		folder := filepath.Join("..", "bin", service)
		build := exec.CommandContext(ctx, "go", "build", "-cover", "-covermode=atomic", "-trimpath", "-o", filepath.Join(folder, "service"), "../"+service)
		build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
		if out, err := build.CombinedOutput(); err != nil {
			return fmt.Errorf("go build %s: %w\n%s", service, err, out)
		}
		dockerfile, err := os.ReadFile("../Dockerfile")
		if err == nil {
			err = os.WriteFile(filepath.Join(folder, "Dockerfile"), dockerfile, 0o644)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// cluster is the API server, through which the services are asked: that works from
// everywhere.
func cluster() (*corev1client.CoreV1Client, error) {
	config, err := clientcmd.NewNonInteractiveDeferredLoadingClientConfig(clientcmd.NewDefaultClientConfigLoadingRules(), nil).ClientConfig()
	if err != nil {
		return nil, err
	}
	return corev1client.NewForConfig(config)
}

// request is one to a service, such as "records/a" of datastorage.
func request(client *corev1client.CoreV1Client, verb, service, path string) *rest.Request {
	path, query, _ := strings.Cut(path, "?")
	r := client.RESTClient().Verb(verb).Namespace(images.Namespace).Resource("services").Name(service + ":80").SubResource("proxy").Suffix(path)
	if key, value, ok := strings.Cut(query, "="); ok {
		r = r.Param(key, value)
	}
	return r
}

func get(ctx context.Context, service, path string) (string, error) {
	client, err := cluster()
	if err != nil {
		return "", err
	}
	text, err := request(client, "GET", service, path).DoRaw(ctx)
	if err != nil {
		return "", fmt.Errorf("%w: %s", err, text)
	}
	return string(text), nil
}

func put(ctx context.Context, service, path, text string) error {
	client, err := cluster()
	if err != nil {
		return err
	}
	return request(client, "PUT", service, path).Body([]byte(text)).Do(ctx).Error()
}

// keepCoverage writes down what the services' code has run: for `go tool covdata`.
func keepCoverage(ctx SpecContext, up *e2eimage.Images) error {
	images = up
	folder := filepath.Join(artifacts, "coverage")
	if err := os.MkdirAll(folder, 0o755); err != nil {
		return err
	}
	for _, service := range []string{"datastorage", "gateway"} {
		text, err := get(ctx, service, "coverage")
		if err != nil {
			return err
		}
		archive := tar.NewReader(bytes.NewReader([]byte(text)))
		for {
			entry, err := archive.Next()
			if errors.Is(err, io.EOF) {
				break
			}
			if err != nil {
				return err
			}
			content, err := io.ReadAll(archive)
			if err == nil {
				err = os.WriteFile(filepath.Join(folder, filepath.Base(entry.Name)), content, 0o644)
			}
			if err != nil {
				return err
			}
		}
	}
	return nil
}
