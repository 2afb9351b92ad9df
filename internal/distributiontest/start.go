// Package distributiontest starts the registry that everybody runs, CNCF's distribution, for
// tests. It must not know what is tested.
package distributiontest

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"time"
)

// Who may log in. The hash is bcrypt's, of the lowest cost.
const (
	User     = "tester"
	Password = "e2eimage-test"
	hash     = "$2a$04$.org9y8nDD7bQgHhDvFcLerXy5aa0wUWatzn0LSGNCRr8Dn6mC3v6"
)

// module has the registry, so that the product's does not.
const module, command = "test/distribution", "github.com/distribution/distribution/v3/cmd/registry"

// How says what the registry is to be like.
type How struct {
	// Dir is where it keeps all it has.
	Dir string
	// Program is the file that Build wrote.
	Program string
	// IP that it listens on, such as 127.0.0.1.
	IP string
	// Login lets in only who logs in as User.
	Login bool
	// NoDelete lets nobody take anything away.
	NoDelete bool
}

// Registry is one that runs.
type Registry struct {
	// Host with its port.
	Host string
	// CA is the certificate, in PEM form, by which it is trusted.
	CA []byte

	how     How
	issued  *issued
	process *exec.Cmd
}

// Build compiles the registry into a folder and returns its file. The first time takes minutes.
func Build(ctx context.Context, dir string) (string, error) {
	_, here, _, ok := runtime.Caller(0)
	if !ok {
		return "", errors.New("where this file is cannot be told")
	}
	program := filepath.Join(dir, "registry")
	build := exec.CommandContext(ctx, "go", "build", "-C", filepath.Join(filepath.Dir(here), "..", "..", module),
		"-o", program, command)
	if out, err := build.CombinedOutput(); err != nil {
		return "", fmt.Errorf("go build %s: %w\n%s", command, err, out)
	}
	return program, nil
}

// Start starts a registry with TLS and waits until it answers.
func Start(ctx context.Context, how How) (*Registry, error) {
	issued, err := issue(how.IP)
	if err != nil {
		return nil, err
	}
	address, err := free(ctx, how.IP)
	if err != nil {
		return nil, err
	}
	for name, text := range map[string][]byte{
		"tls.crt": issued.certificate, "tls.key": issued.key, "users": []byte(User + ":" + hash + "\n"),
		"config.yml": []byte(config(how, address)),
	} {
		if err := os.WriteFile(filepath.Join(how.Dir, name), text, 0o600); err != nil {
			return nil, err
		}
	}
	started := &Registry{Host: address, CA: issued.certificate, how: how, issued: issued}
	return started, started.Again(ctx)
}

// Again starts one that was stopped, with all that it had, at the same address.
func (r *Registry) Again(ctx context.Context) error {
	log, err := os.Create(filepath.Join(r.how.Dir, "log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }()
	r.process = exec.CommandContext(ctx, r.how.Program, "serve", filepath.Join(r.how.Dir, "config.yml"))
	r.process.Stdout, r.process.Stderr = log, log
	r.process.Env = append(os.Environ(), "OTEL_TRACES_EXPORTER=none")
	if err := r.process.Start(); err != nil {
		return err
	}
	if err := r.wait(ctx, r.issued); err != nil {
		text, _ := os.ReadFile(log.Name())
		r.Stop()
		return fmt.Errorf("registry: %w\n%s", err, text)
	}
	return nil
}

// Trusting is what a client takes to trust it.
func (r *Registry) Trusting() *tls.Config { return r.issued.trusting() }

// Stop ends it.
func (r *Registry) Stop() {
	_ = r.process.Process.Kill()
	_ = r.process.Wait()
}

// patience is how long a registry may take to answer.
const patience = 20 * time.Second

func (r *Registry) wait(ctx context.Context, issued *issued) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: issued.trusting()}}
	defer client.CloseIdleConnections()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "https://"+r.Host+"/v2/", nil)
		if err != nil {
			return err
		}
		response, err := client.Do(request)
		if err == nil {
			return response.Body.Close()
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(50 * time.Millisecond):
		}
	}
}

// free is an address that nobody listens on.
func free(ctx context.Context, ip string) (string, error) {
	listener, err := (&net.ListenConfig{}).Listen(ctx, "tcp", net.JoinHostPort(ip, "0"))
	if err != nil {
		return "", err
	}
	return listener.Addr().String(), listener.Close()
}

func config(how How, address string) string {
	text := fmt.Sprintf(`version: 0.1
log: {level: info}
storage:
  filesystem: {rootdirectory: %q}
  delete: {enabled: %v}
http:
  addr: %q
  tls: {certificate: %q, key: %q}
`, filepath.Join(how.Dir, "data"), !how.NoDelete, address, filepath.Join(how.Dir, "tls.crt"),
		filepath.Join(how.Dir, "tls.key"))
	if how.Login {
		text += fmt.Sprintf("auth:\n  htpasswd: {realm: test, path: %q}\n", filepath.Join(how.Dir, "users"))
	}
	return text
}
