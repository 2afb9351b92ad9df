// Package run runs every command of README and docs, on a real Kind cluster, as a reader
// would: in one shell per page, through kubectl, and where possible not as root.
package run

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/ordinary"
)

const root = "../../.."

// reader is who types the commands, and what the machine has for them.
var reader struct {
	cluster, kubeconfig string
	// dir goes with the run; bin comes first on PATH.
	dir, bin string
	// service is a static program for images that are FROM scratch.
	service string
	// ordinary is nil for who is not root anyway.
	ordinary *ordinary.User
}

func TestMain(m *testing.M) {
	flag.Parse()
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "set-up of the documentation's tests:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M) (code int, err error) {
	if reader.dir, err = os.MkdirTemp("", "e2eimage-docs-"); err != nil {
		return 1, err
	}
	defer os.RemoveAll(reader.dir)
	reader.bin = filepath.Join(reader.dir, "bin")
	reader.cluster, reader.kubeconfig = fmt.Sprintf("docs-%d", os.Getpid()), filepath.Join(reader.dir, "kubeconfig")
	kept := os.Getenv("E2E_CLUSTER")
	var group errgroup.Group
	group.Go(func() error { return build(ctx) })
	group.Go(func() error { return startCluster(ctx, kept) })
	err = group.Wait()
	if kept == "" {
		defer func() {
			deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
			defer cancel()
			err = errors.Join(err, kindtest.Delete(deleting, reader.cluster, kindtest.Docker))
		}()
	}
	if err == nil {
		err = furnish(ctx)
	}
	if err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// startCluster makes the cluster, or takes a developer's own for quicker rounds.
func startCluster(ctx context.Context, kept string) error {
	if kept != "" {
		reader.cluster, reader.kubeconfig = kept, os.Getenv("KUBECONFIG")
		return kindtest.Prepare(ctx, kindtest.Docker, os.Stderr)
	}
	return kindtest.Create(ctx, kindtest.Options{
		Name: reader.cluster, Workers: 2, Provider: kindtest.Docker, Kubeconfig: reader.kubeconfig, Wait: 3 * time.Minute, Log: os.Stderr,
	})
}

// build makes what the pages take for granted: the plugin, kind and Helm, each of the
// module that has it, and a service. The end-to-end tests build them with the same flags,
// so that what one has compiled the other need not.
func build(ctx context.Context) error {
	reader.service = filepath.Join(reader.dir, "service")
	static := []string{"CGO_ENABLED=0"}
	for _, one := range []struct {
		dir, out, what string
		env            []string
	}{
		{root, reader.bin + "/", "./cmd/kubectl-e2eimage", static},
		{root, reader.service, "./examples/datastorage", static},
		{root, reader.bin + "/", "sigs.k8s.io/kind", static},
		{filepath.Join(root, "test/helm"), reader.bin + "/", "helm.sh/helm/v4/cmd/helm", nil},
	} {
		command := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", one.out, one.what)
		command.Dir, command.Env = one.dir, append(os.Environ(), one.env...)
		if text, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", one.what, err, text)
		}
	}
	return nil
}

// furnish takes kubectl from a node, and makes an ordinary user of root.
func furnish(ctx context.Context) error {
	out, err := exec.CommandContext(ctx, kindtest.Docker, "cp", reader.cluster+"-control-plane:/usr/bin/kubectl", filepath.Join(reader.bin, "kubectl")).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy kubectl from a node: %w: %s", err, out)
	}
	if os.Geteuid() != 0 {
		return nil
	}
	reader.ordinary, err = ordinary.New(reader.dir, reader.bin)
	return err
}
