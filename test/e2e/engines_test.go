package e2e

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// has gives the user a service in the folder code, and an engine of the host for images:
// the one that this command is on the user's PATH.
func (u *user) has(engine string) {
	u.t.Helper()
	u.engine = engine
	u.code("code")
	u.t.Cleanup(func() {
		ctx := context.WithoutCancel(u.t.Context())
		for name := range strings.FieldsSeq(u.names(ctx)) {
			if strings.Contains(name, u.namespace) {
				u.try(ctx, engine, "image", "rm", "--force", name)
			}
		}
	})
}

// ask runs the engine that has the user's images, as the user, and returns what it printed.
func (u *user) ask(ctx context.Context, args ...string) string {
	u.t.Helper()
	result := u.try(ctx, append([]string{u.engine}, args...)...)
	if result.code != 0 {
		u.t.Errorf("%s %v: exit %d: %s", u.engine, args, result.code, result.stderr)
	}
	return strings.TrimSpace(result.stdout)
}

// names are the names of all images in the engine that has the user's.
func (u *user) names(ctx context.Context) string {
	u.t.Helper()
	for try := 1; ; try++ {
		result := u.try(ctx, u.engine, "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
		if result.code == 0 {
			return result.stdout
		}
		// Engines fail when an image goes while they list them.
		if try == 5 {
			u.t.Errorf("%s image ls: exit %d: %s", u.engine, result.code, result.stderr)
			return ""
		}
	}
}

// configOf is the image ID that the engine's own archive says, asked of the archive since
// docker with containerd's store says it nowhere else.
func (u *user) configOf(name string) string {
	u.t.Helper()
	script := `"$1" save "$2" | tar -xO manifest.json | sed -E 's#.*"Config":"(blobs/sha256/)?([0-9a-f]{64})[".].*#sha256:\2#'`
	result := u.try(u.t.Context(), "bash", "-o", "pipefail", "-c", script, "bash", u.engine, name)
	id := strings.TrimSpace(result.stdout)
	if result.code != 0 || !strings.HasPrefix(id, "sha256:") || len(id) != len("sha256:")+64 {
		u.t.Fatalf("%s save %s: exit %d: %s%s", u.engine, name, result.code, result.stdout, result.stderr)
	}
	return id
}

// temporary are names in the engine that the product gives for a moment only. Those of tests
// that are killed stay for longer.
func (u *user) temporary(ctx context.Context) []string {
	u.t.Helper()
	return slices.DeleteFunc(strings.Fields(u.names(ctx)), func(name string) bool {
		return !strings.Contains(name, "e2eimage-build") && !strings.Contains(name, "127.0.0.1")
	})
}

// passing waits until no temporary names are left of those that came since there were the
// ones of before. Other tests have theirs for a moment, too.
func (u *user) passing(before []string) {
	u.t.Helper()
	now := slices.DeleteFunc(u.temporary(u.t.Context()), func(name string) bool { return slices.Contains(before, name) })
	waitFor(u.t, strings.Join(now, ", ")+" are gone", func() bool {
		left := u.temporary(u.t.Context())
		return !slices.ContainsFunc(now, func(name string) bool { return slices.Contains(left, name) })
	})
}

// throughAllVerbs goes from images in the user's engine to pods and back: load, tag, deploy,
// prebuilt, build, up and clean, and in between the engine gets what is newer.
func (u *user) throughAllVerbs() {
	u.t.Helper()
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+u.engine+"\nimages:\n- {name: given, source: '"+u.source()+"'}\n"+
		"- {name: adopted, prebuilt: '"+u.source()+"', deploy: {workloads: []}}\n- {name: built, source: 'localhost/"+u.namespace+"-built:dev', build: {context: code}}\n")
	u.apply(workload("Deployment", "given", "localhost/none:none", 1) + "---" + workload("Deployment", "built", "localhost/none:none", 1))
	before := u.temporary(u.t.Context())
	u.deploysWhatIsGiven()
	u.must("build", "adopted")
	u.must("load", "adopted")
	wantEverywhere(u.t, u.must("tag", "adopted"), u.configOf(u.source()))
	image := u.deploysWhatIsBuilt()
	u.must("verify")
	entry := u.lock(u.namespace)["built"]
	cleaned := u.must("clean", "--scope=host")
	if names := u.names(u.t.Context()); strings.Contains(names, "localhost/built:"+u.namespace) || !strings.Contains(names, u.source()) {
		u.t.Errorf("clean (%s) left the names %s", cleaned, names)
	}
	if len(u.lock(u.namespace)) > 0 {
		u.t.Errorf("clean (%s) left %v in the lock", cleaned, u.lock(u.namespace))
	}
	wantEverywhere(u.t, image, entry.ImageID)
	u.passing(before)
}

// deploysWhatIsGiven has an image built past the plugin.
func (u *user) deploysWhatIsGiven() {
	u.t.Helper()
	u.buildCode()
	first := u.load("given").Images[0]
	if want := u.configOf(u.source()); first.ImageID != want || first.Sent == 0 {
		u.t.Errorf("%s was loaded, %d bytes of it, want %s", first.ImageID, first.Sent, want)
	}
	wantEverywhere(u.t, u.source(), first.ImageID)
	if again := u.load("given").Images[0]; again.Sent != 0 || again.ImageID != first.ImageID {
		u.t.Errorf("again %d bytes were sent, of %s", again.Sent, again.ImageID)
	}
	image := u.must("tag", "given")
	u.must("deploy", "given")
	// Built again it is the same image, with docker of today in another index: attestations
	// have the time.
	u.buildCode()
	if said := u.must("deploy", "given"); !strings.Contains(said, "unchanged") {
		u.t.Errorf("nothing is newer, and deploy says %s", said)
	}
	if again := u.must("tag", "given"); again != image {
		u.t.Errorf("the same image is %s now, was %s", again, image)
	}
	u.write("code/build", "second of "+u.namespace)
	u.buildCode()
	u.refused(3, []string{u.source() + " in " + u.engine, "rebuilt, but not loaded"}, "deploy", "given")
	u.must("load", "given")
	u.must("tag", "given")
	u.must("deploy", "given")
	if got := u.answers("given"); len(got) != 1 || got[0] != "second of "+u.namespace {
		u.t.Errorf("the pods answer %q", got)
	}
}

// deploysWhatIsBuilt has the plugin build, and returns the image in the end.
func (u *user) deploysWhatIsBuilt() string {
	u.t.Helper()
	image := u.must("up", "built")
	entry := u.lock(u.namespace)["built"]
	engineID := "sha256:" + strings.TrimPrefix(u.ask(u.t.Context(), "image", "inspect", "--format", "{{.Id}}", image), "sha256:")
	if want := u.configOf(image); entry.ImageID != want || entry.EngineID != engineID || entry.Engine != u.engine {
		u.t.Errorf("the lock has the image ID %s, and %s of %s, want %s, and %s of %s", entry.ImageID, entry.EngineID, entry.Engine, want, engineID, u.engine)
	}
	wantEverywhere(u.t, image, entry.ImageID)
	if again := u.must("up", "built"); again != image {
		u.t.Errorf("nothing changed, and the image is %s instead of %s", again, image)
	}
	u.write("code/build", "third of "+u.namespace)
	u.must("build", "built")
	u.refused(3, []string{"built, but not loaded"}, "deploy", "built")
	next := u.must("up", "built")
	if next == image {
		u.t.Errorf("new content has the old tag %s", next)
	}
	if got := u.answers("built"); len(got) != 1 || got[0] != "third of "+u.namespace {
		u.t.Errorf("the pods answer %q", got)
	}
	return next
}

func TestTheEngineThroughAllVerbs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.has(suite.provider)
	u.throughAllVerbs()
}

// Podman has no cluster here: images of root's, in podman's store, for docker's nodes.
func TestPodmanOfTodayThroughAllVerbs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.root = true
	bin, err := kindtest.PodmanBeside(t.Context(), suite.chosen, nil)
	if err != nil {
		t.Fatal(err)
	}
	u.first(bin)
	u.engine = "podman"
	// What builds of before left without a name; the podman stays from run to run.
	u.ask(t.Context(), "image", "prune", "--force", "--filter", "until=1h")
	u.has("podman")
	u.throughAllVerbs()
}

// As the package podman-docker has it.
const dockerThatIsPodman = `#!/bin/sh
echo "Emulate Docker CLI using podman. Create /etc/containers/nodocker to quiet msg." >&2
exec podman "$@"
`

func TestDockerThatIsPodmanThroughAllVerbs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.write("bin/docker", dockerThatIsPodman)
	if err := os.Chmod(filepath.Join(u.dir, "bin/docker"), 0o755); err != nil {
		t.Fatal(err)
	}
	u.first(filepath.Join(u.dir, "bin"))
	// Kind's own choice between engines, which both have the cluster then.
	u.env = without(u.env, "KIND_EXPERIMENTAL_PROVIDER")
	u.has("docker")
	u.throughAllVerbs()
	// Unless docker is asked for, podman is called by its name.
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nimages:\n- {name: given, source: '"+u.source()+"'}\n")
	u.must("load")
	if entry := u.lock(u.namespace)["given"]; entry.Engine != "podman" {
		t.Errorf("the lock has the engine %q", entry.Engine)
	}
}

// A podman of the user's own, without any right of root's.
func TestRootlessPodmanThroughAllVerbs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	if err := kindtest.InstallPodman(t.Context(), nil); err != nil {
		t.Fatal(err)
	}
	u.env = append(u.env, suite.ordinary.Podman()...)
	u.has("podman")
	u.throughAllVerbs()
}

// first puts a folder before all others on the user's PATH.
func (u *user) first(folder string) {
	u.env = append(slices.Clone(u.env), "PATH="+folder+":"+suite.bin+":"+os.Getenv("PATH"))
}
