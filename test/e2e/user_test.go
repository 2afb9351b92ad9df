package e2e

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// user is somebody with a namespace of their own and a shell.
type user struct {
	t         *testing.T
	namespace string
	dir       string
	env       []string
	// engine is the command that has the user's images, where that is not the provider's.
	engine string
	// root is set for who is root whatever the suite's users are.
	root bool
}

var counter atomic.Int64

// newUser makes a namespace that goes with the test.
func newUser(t *testing.T) *user {
	t.Helper()
	u := &user{t: t, namespace: fmt.Sprintf("e2e-%d-%d", os.Getpid(), counter.Add(1)), dir: tempDir(t)}
	u.env = append(os.Environ(), "KUBECONFIG="+suite.kubeconfig, "PATH="+suite.bin+":"+os.Getenv("PATH"),
		"E2EIMAGE_KIND_CLUSTER="+suite.cluster, "TMPDIR="+temporaryFolder(t))
	u.makeNamespace()
	return u
}

// tempDir is a folder that goes with the test, and that every user may use.
func tempDir(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := errors.Join(os.Chmod(filepath.Dir(dir), 0o755), os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	return dir
}

// temporaryFolder is one for the commands of a test. It goes with the suite, not with the
// test: what a killed command began may go on. Other commands leave nothing there.
func temporaryFolder(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp(suite.dir, "tmp-")
	if err = errors.Join(err, os.Chmod(dir, 0o777)); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		left, err := filepath.Glob(filepath.Join(dir, "e2eimage-scratch-*"))
		if _, killed := suite.killed.Load(dir); err != nil || len(left) > 0 && !killed {
			t.Errorf("commands that were not killed left %v, %v", left, err)
		}
	})
	return dir
}

// outcome is how a command ended.
type outcome struct {
	stdout, stderr string
	code           int
	took           time.Duration
}

func (u *user) try(ctx context.Context, argv ...string) outcome {
	u.t.Helper()
	command := exec.CommandContext(ctx, lookIn(u.env, argv[0]), argv[1:]...)
	command.Dir, command.Env = u.dir, u.env
	return u.finish(command, nil)
}

// finish runs a command; whenStarted is called once it runs.
func (u *user) finish(command *exec.Cmd, whenStarted func(*os.Process)) outcome {
	u.t.Helper()
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if suite.ordinary != nil && !u.root {
		// Tests write files where the command is to read and write some.
		if err := errors.Join(suite.ordinary.Own(u.dir), suite.ordinary.Runs(command)); err != nil {
			u.t.Fatal(err)
		}
	}
	begun := time.Now()
	err := command.Start()
	if err == nil {
		if whenStarted != nil {
			whenStarted(command.Process)
		}
		err = command.Wait()
	}
	result := outcome{stdout: stdout.String(), stderr: stderr.String(), took: time.Since(begun)}
	var exit *exec.ExitError
	switch {
	case errors.As(err, &exit):
		if result.code = exit.ExitCode(); result.code == -1 {
			suite.killed.Store(variable(command.Env, "TMPDIR"), true)
		}
	case err != nil:
		u.t.Fatalf("%v: %v", command.Args, err)
	}
	return result
}

// soon is long for what waits for nothing, however busy the machine is, and short of
// the timeouts that would end it otherwise.
const soon = 45 * time.Second

// lookIn finds a program on the PATH of an environment.
func lookIn(env []string, program string) string {
	for _, dir := range filepath.SplitList(variable(env, "PATH")) {
		if info, err := os.Stat(filepath.Join(dir, program)); err == nil && info.Mode().IsRegular() {
			return filepath.Join(dir, program)
		}
	}
	return program
}

// variable is what an environment has under a name: the last one counts.
func variable(env []string, name string) string {
	for _, entry := range slices.Backward(env) {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// kubectl runs kubectl in the user's namespace and wants it to succeed.
func (u *user) kubectl(args ...string) string {
	u.t.Helper()
	result := u.try(u.t.Context(), append([]string{"kubectl", "--namespace", u.namespace}, args...)...)
	if result.code != 0 {
		u.t.Fatalf("kubectl %v: exit %d: %s", args, result.code, result.stderr)
	}
	return strings.TrimSpace(result.stdout)
}

// e2eimage runs the plugin in the user's namespace. It leaves kubectl out, which only
// finds it and steps aside, at a tenth of a second each time; TestKubectlFindsThePlugin
// goes through kubectl.
func (u *user) e2eimage(args ...string) outcome {
	u.t.Helper()
	return u.finish(u.plugin(args...), nil)
}

// must wants the plugin to succeed and returns its stdout.
func (u *user) must(args ...string) string {
	u.t.Helper()
	result := u.e2eimage(args...)
	if result.code != 0 {
		u.t.Fatalf("kubectl e2eimage %v: exit %d: %s", args, result.code, result.stderr)
	}
	return strings.TrimSuffix(result.stdout, "\n")
}

// refused wants the plugin to fail with this exit code and to say these words.
func (u *user) refused(code int, words []string, args ...string) outcome {
	u.t.Helper()
	result := u.e2eimage(args...)
	wantRefused(u.t, result, code, words...)
	return result
}

func wantRefused(t *testing.T, result outcome, code int, words ...string) {
	t.Helper()
	if result.code != code {
		t.Errorf("exit %d, want %d\nstdout: %s\nstderr: %s", result.code, code, result.stdout, result.stderr)
	}
	// Long messages are wrapped for the terminal.
	said := strings.Join(strings.Fields(result.stderr), " ")
	for _, word := range words {
		if !strings.Contains(said, word) {
			t.Errorf("the error does not say %q:\n%s", word, result.stderr)
		}
	}
}

// apply creates objects from YAML.
func (u *user) apply(manifest string) {
	u.t.Helper()
	command := exec.CommandContext(u.t.Context(), lookIn(u.env, "kubectl"), "--namespace", u.namespace, "apply", "-f", "-")
	command.Env, command.Stdin = u.env, strings.NewReader(manifest)
	if result := u.finish(command, nil); result.code != 0 {
		u.t.Fatalf("apply: %s", result.stderr)
	}
}

// image makes an image of its own content under ref and loads it into nodes,
// all unless named. It returns the image ID.
func (u *user) image(ref string, nodes ...string) string {
	u.t.Helper()
	return u.imageOf(suite.service, ref, nodes...)
}

func (u *user) imageOf(binary, ref string, nodes ...string) string {
	u.t.Helper()
	archive := filepath.Join(tempDir(u.t), "image.tar")
	id, err := kindtest.WriteScratchArchive(archive, ref, binary, kindtest.Scratch{
		Labels: map[string]string{"build": fmt.Sprintf("%s-%d", u.namespace, counter.Add(1))},
	})
	if err != nil {
		u.t.Fatal(err)
	}
	importArchive(u.t, archive, nodes...)
	return id
}

// importArchive puts an archive's images on nodes, all unless named, as
// `kind load image-archive` does.
func importArchive(t *testing.T, archive string, nodes ...string) {
	t.Helper()
	if len(nodes) == 0 {
		nodes = suite.nodes
	}
	var group errgroup.Group
	for _, node := range nodes {
		group.Go(func() error {
			in, err := os.Open(archive)
			if err != nil {
				return err
			}
			defer in.Close()
			argv := inNode(node, "ctr", "--namespace", "k8s.io", "images", "import", "--local", "-")
			command := exec.CommandContext(t.Context(), argv[0], argv[1:]...)
			command.Stdin = in
			if out, err := command.CombinedOutput(); err != nil {
				return fmt.Errorf("import %s on %s: %w: %s", archive, node, err, out)
			}
			return nil
		})
	}
	if err := group.Wait(); err != nil {
		t.Fatal(err)
	}
}

// inNode is the argv that runs a command in a node. An exec costs half a second on a
// small machine, and the tests ask a lot: where the node's process is there, its
// namespaces are entered instead.
func inNode(node string, argv ...string) []string {
	enter := []string{suite.provider, "exec", "--interactive", node}
	if pid := suite.processes[node]; pid != "" {
		enter = []string{"nsenter", "--target", pid, "--mount", "--pid", "--net", "--uts", "--"}
	}
	return append(enter, argv...)
}

// onNode runs a command in a node and returns its output, "" when it fails.
func onNode(t *testing.T, node string, argv ...string) string {
	t.Helper()
	argv = inNode(node, argv...)
	out, _ := exec.CommandContext(t.Context(), argv[0], argv[1:]...).Output()
	return strings.TrimSpace(string(out))
}

// onNodes asks every node the same, side by side, and returns the answers by node.
func onNodes(t *testing.T, argv ...string) map[string]string {
	t.Helper()
	answers := make(map[string]string, len(suite.nodes))
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, node := range suite.nodes {
		all.Go(func() {
			answer := onNode(t, node, argv...)
			mu.Lock()
			defer mu.Unlock()
			answers[node] = answer
		})
	}
	all.Wait()
	return answers
}

// images are all names of a node's CRI, with their image IDs.
type images map[string]string

// with are the names that contain part, sorted.
func (i images) with(part string) []string {
	var found []string
	for name := range i {
		if strings.Contains(name, part) {
			found = append(found, name)
		}
	}
	slices.Sort(found)
	return found
}

// has tells whether some name stands for the image ID.
func (i images) has(id string) bool {
	for _, other := range i {
		if other == id {
			return true
		}
	}
	return false
}

// imagesOn reads the images of every node, as the CRI has them.
func imagesOn(t *testing.T) map[string]images {
	t.Helper()
	found := map[string]images{}
	for node, out := range onNodes(t, "crictl", "images", "-o", "json") {
		found[node] = parseImages(t, node, out)
	}
	return found
}

// parseImages reads what crictl lists.
func parseImages(t *testing.T, node, out string) images {
	t.Helper()
	var listed struct {
		Images []struct {
			ID                    string
			RepoTags, RepoDigests []string
		}
	}
	if err := json.Unmarshal([]byte(out), &listed); err != nil {
		t.Fatalf("node %s: %v: %q", node, err, out)
	}
	found := images{}
	for _, image := range listed.Images {
		found[image.ID] = image.ID
		for _, name := range append(image.RepoTags, image.RepoDigests...) {
			found[name] = image.ID
		}
	}
	return found
}

// runs waits until every running container of the namespace's pods is of the image
// ID, as the nodes themselves say, and returns how many there are. Pods without a
// grace period are gone from the API before their containers are.
func (u *user) runs(imageID string) int {
	u.t.Helper()
	count := 0
	waitFor(u.t, "nothing but "+imageID+" runs", func() bool {
		var others []string
		if count, others = u.running(imageID); len(others) > 0 {
			u.t.Logf("still running: %s", strings.Join(others, ", "))
		}
		return len(others) == 0
	})
	return count
}

// running counts the containers of an image, and names the pods of others.
func (u *user) running(imageID string) (count int, others []string) {
	u.t.Helper()
	for node, out := range onNodes(u.t, "crictl", "ps", "-o", "json") {
		var listed struct {
			Containers []struct {
				ImageID, ImageRef, State string
				Labels                   map[string]string
			}
		}
		if err := json.Unmarshal([]byte(out), &listed); err != nil {
			u.t.Fatal(err)
		}
		for _, container := range listed.Containers {
			if container.Labels["io.kubernetes.pod.namespace"] != u.namespace || container.State != "CONTAINER_RUNNING" {
				continue
			}
			id := cmp.Or(container.ImageID, container.ImageRef)
			if id == imageID {
				count++
				continue
			}
			others = append(others, fmt.Sprintf("pod %s on %s runs %s", container.Labels["io.kubernetes.pod.name"], node, id))
		}
	}
	return count, others
}

// workload is a manifest of one container, or with a second one.
func workload(kind, name, image string, replicas int) string {
	manifest := fmt.Sprintf(`
apiVersion: apps/v1
kind: %s
metadata: {name: %s}
spec:
  replicas: %d
  selector: {matchLabels: {app: %s}}
  template:
    metadata: {labels: {app: %s}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: %s
        image: %s
        imagePullPolicy: Never
        ports: [{containerPort: 8080}]
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
`, kind, name, replicas, name, name, name, image)
	if kind == "DaemonSet" {
		manifest = regexp.MustCompile(`(?m)^  replicas: .*\n`).ReplaceAllString(manifest, "")
	}
	return manifest
}
