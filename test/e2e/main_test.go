// Package e2e runs the real plugin, through kubectl, against a real Kind
// cluster, and asserts on what the nodes, the API and the pods say. It must not
// import the product's packages: what it knows is what a user can see.
package e2e

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/tools/clientcmd"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/ordinary"
)

// suite is the cluster that all tests of a run share, each in its own namespace.
var suite struct {
	provider string
	// chosen is the provider as the flag names it.
	chosen     string
	cluster    string
	nodes      []string
	kubeconfig string
	// api is for what every test asks: kubectl takes a tenth of a second each time.
	api *kubernetes.Clientset
	// processes are the PIDs of the nodes, where they run on this host.
	processes map[string]string
	// dir goes with the suite.
	dir string
	// killed are the temporary folders whose commands were killed, or some of them.
	killed sync.Map
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
	// ordinary runs users' commands where they are not root's; else it is nil.
	ordinary *ordinary.User
}

func TestMain(m *testing.M) {
	provider := flag.String("provider", kindtest.Podman, kindtest.ProviderUsage())
	scope := flag.String("scope", "all", "which tests run: all, engines for those of what engines and nodes do, today for those of the docker of today, smoke for the main flow")
	notRoot := flag.Bool("ordinary", false, "users of docker are in the group of its socket, and not root")
	flag.Parse()
	if err := selectScope(*scope, *provider, *notRoot); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	if flag.Lookup("test.list").Value.String() != "" {
		// The names of tests need no cluster.
		os.Exit(m.Run())
	}
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	code, err := run(ctx, m, *provider, *notRoot)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "end-to-end set-up:", err)
		code = 1
	}
	os.Exit(code)
}

func run(ctx context.Context, m *testing.M, provider string, notRoot bool) (code int, err error) {
	dir, err := os.MkdirTemp("", "e2eimage-e2e-")
	if err != nil {
		return 1, err
	}
	defer os.RemoveAll(dir)
	suite.dir = dir
	suite.chosen = provider
	suite.cluster = fmt.Sprintf("e2e-%s-%d", provider, os.Getpid())
	if suite.provider, err = kindtest.Choose(ctx, provider, os.Stderr); err != nil {
		return 1, err
	}
	suite.kubeconfig = filepath.Join(dir, "kubeconfig")
	suite.bin, suite.faulty = filepath.Join(dir, "bin"), filepath.Join(dir, "faulty")
	// The compiler works while the cluster waits.
	var group errgroup.Group
	group.Go(func() error { return build(ctx, dir) })
	group.Go(func() error { return startCluster(ctx) })
	err = group.Wait()
	if os.Getenv("KEEP_CLUSTER") == "" && os.Getenv("E2E_CLUSTER") == "" {
		defer func() {
			deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
			defer cancel()
			err = errors.Join(err, kindtest.Delete(deleting, suite.cluster, suite.provider))
		}()
	}
	if err == nil {
		err = lookAround(ctx)
	}
	if err == nil && notRoot && os.Geteuid() == 0 {
		if suite.ordinary, err = ordinary.New(dir, suite.bin); err == nil {
			err = errors.Join(suite.ordinary.Own(suite.kubeconfig), os.Setenv("PATH", suite.bin+":"+os.Getenv("PATH")))
		}
	}
	if err != nil {
		return 1, err
	}
	code = m.Run()
	if left := readersLeft(ctx); left != "" {
		return 1, fmt.Errorf("containers that read images are left: %s", left)
	}
	return code, nil
}

// readersLeft are the containers by which users without access to docker's store read
// images. Each goes with its command, a moment later.
func readersLeft(ctx context.Context) string {
	if suite.provider != kindtest.Docker {
		return ""
	}
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	limited, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	for {
		out, err := exec.CommandContext(ctx, suite.provider, "ps", "--all", "--quiet", "--filter", "name=e2eimage-read-").CombinedOutput()
		left := strings.TrimSpace(string(out))
		if err == nil && left == "" {
			return ""
		}
		select {
		case <-limited.Done():
			return left
		case <-tick.C:
		}
	}
}

// startCluster makes the cluster, or takes a developer's own, made with test/cluster,
// for quicker rounds.
func startCluster(ctx context.Context) error {
	if kept := os.Getenv("E2E_CLUSTER"); kept != "" {
		suite.cluster, suite.kubeconfig = kept, os.Getenv("KUBECONFIG")
		return kindtest.Prepare(ctx, suite.provider, os.Stderr)
	}
	return kindtest.Create(ctx, kindtest.Options{
		Name: suite.cluster, Workers: 2, Provider: suite.provider, Kubeconfig: suite.kubeconfig, Wait: 3 * time.Minute, Log: os.Stderr,
	})
}

// build makes the binaries.
func build(ctx context.Context, dir string) error {
	suite.service, suite.crasher = filepath.Join(dir, "service"), filepath.Join(dir, "crasher")
	suite.registry, suite.webhook = filepath.Join(dir, "registry"), filepath.Join(dir, "webhook")
	for out, source := range map[string]string{
		suite.bin + "/": "../../cmd/kubectl-e2eimage",
		suite.service:   "../../examples/datastorage",
		suite.crasher:   "./testdata/crasher",
		suite.registry:  "./testdata/registry",
		suite.webhook:   "./testdata/webhook",
		filepath.Join(suite.faulty, suite.provider): "../faultengine",
	} {
		command := exec.CommandContext(ctx, "go", "build", "-ldflags=-s -w", "-o", out, source)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if text, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("build %s: %w: %s", source, err, text)
		}
	}
	return nil
}

// lookAround takes kubectl from a node, where it fits the cluster, and finds the nodes.
func lookAround(ctx context.Context) error {
	kubectl := filepath.Join(suite.bin, "kubectl")
	out, err := exec.CommandContext(ctx, suite.provider, "cp", suite.cluster+"-control-plane:/usr/bin/kubectl", kubectl).CombinedOutput()
	if err != nil {
		return fmt.Errorf("copy kubectl from a node: %w: %s", err, out)
	}
	out, err = exec.CommandContext(ctx, kubectl, "--kubeconfig", suite.kubeconfig, "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}").Output()
	if err != nil {
		return fmt.Errorf("list the nodes: %w", err)
	}
	suite.nodes = strings.Fields(string(out))
	findProcesses(ctx)
	config, err := clientcmd.BuildConfigFromFlags("", suite.kubeconfig)
	if err != nil {
		return err
	}
	suite.api, err = kubernetes.NewForConfig(config)
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
