// Package e2e runs the real plugin, through kubectl, against a real Kind
// cluster, and asserts on what the nodes, the API and the pods say. It must not
// import the product's packages: what it knows is what a user can see.
package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// suite is the cluster that all tests of a run share, each in its own namespace.
var suite struct {
	provider   string
	cluster    string
	nodes      []string
	kubeconfig string
	// processes are the PIDs of the nodes, where they run on this host.
	processes map[string]string
	// bin holds kubectl and the plugin; it comes first on PATH.
	bin string
	// faulty holds a program in front of the engine's CLI, under its name.
	faulty string
	// service and crasher are static binaries for test images.
	service, crasher string
	// registry is what a kubelet pulls from.
	registry string
	// webhook denies what the API server asks it.
	webhook string
}

func TestMain(m *testing.M) {
	provider := flag.String("provider", kindtest.Podman, "engine that the cluster runs on, podman or docker")
	scope := flag.String("scope", "all", "which tests run: all, engines for those of what engines and nodes do, smoke for the main flow")
	flag.Parse()
	if err := selectScope(*scope); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m, *provider)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "end-to-end set-up:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M, provider string) (code int, err error) {
	dir, err := os.MkdirTemp("", "e2eimage-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	suite.provider = provider
	suite.cluster = fmt.Sprintf("e2e-%s-%d", provider, os.Getpid())
	suite.kubeconfig = filepath.Join(dir, "kubeconfig")
	suite.bin, suite.faulty = filepath.Join(dir, "bin"), filepath.Join(dir, "faulty")
	if kept := os.Getenv("E2E_CLUSTER"); kept != "" {
		// A developer's own cluster, made with test/cluster: quicker rounds.
		suite.cluster, suite.kubeconfig = kept, os.Getenv("KUBECONFIG")
		if err := kindtest.Prepare(ctx, provider, os.Stderr); err != nil {
			return 1, err
		}
	} else {
		err = kindtest.Create(ctx, kindtest.Options{
			Name: suite.cluster, Workers: 2, Provider: provider, Kubeconfig: suite.kubeconfig, Wait: 3 * time.Minute, Log: os.Stderr,
		})
		if err != nil {
			return 1, err
		}
		if os.Getenv("KEEP_CLUSTER") == "" {
			defer func() {
				deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
				defer cancel()
				if failed := kindtest.Delete(deleting, suite.cluster, provider); failed != nil && err == nil {
					err = failed
				}
			}()
		}
	}
	if err := build(ctx, dir); err != nil {
		return 1, err
	}
	return m.Run(), nil
}

// build makes the binaries and takes kubectl from a node: there it fits.
func build(ctx context.Context, dir string) error {
	suite.service, suite.crasher = filepath.Join(dir, "service"), filepath.Join(dir, "crasher")
	suite.registry, suite.webhook = filepath.Join(dir, "registry"), filepath.Join(dir, "webhook")
	control := suite.cluster + "-control-plane"
	for _, argv := range [][]string{
		{"go", "build", "-o", suite.bin + "/", "../../cmd/kubectl-e2eimage"},
		{"go", "build", "-o", suite.service, "../../examples/datastorage"},
		{"go", "build", "-o", suite.crasher, "./testdata/crasher"},
		{"go", "build", "-o", suite.registry, "./testdata/registry"},
		{"go", "build", "-o", suite.webhook, "./testdata/webhook"},
		{"go", "build", "-o", filepath.Join(suite.faulty, suite.provider), "../faultengine"},
		{suite.provider, "cp", control + ":/usr/bin/kubectl", filepath.Join(suite.bin, "kubectl")},
	} {
		command := exec.CommandContext(ctx, argv[0], argv[1:]...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
		}
	}
	out, err := exec.CommandContext(ctx, filepath.Join(suite.bin, "kubectl"), "--kubeconfig", suite.kubeconfig,
		"get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").Output()
	suite.nodes = strings.Fields(string(out))
	findProcesses(ctx)
	return err
}

// findProcesses leaves out what this host does not have or may not enter.
func findProcesses(ctx context.Context) {
	suite.processes = map[string]string{}
	for _, node := range suite.nodes {
		out, err := exec.CommandContext(ctx, suite.provider, "inspect", "--format", "{{.State.Pid}}", node).Output()
		pid := strings.TrimSpace(string(out))
		if err == nil && exec.CommandContext(ctx, "nsenter", "--target", pid, "--mount", "--", "test", "-e", "/kind/version").Run() == nil {
			suite.processes[node] = pid
		}
	}
}
