package e2e

import (
	"context"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// todays is a user with a service in the folder code, whose docker is that of today, with
// containerd's image store and buildx.
func todays(t *testing.T) *user {
	t.Helper()
	u := newUser(t)
	u.code("code")
	t.Cleanup(func() {
		u := *u
		for _, name := range strings.Fields(u.dockerNames(context.WithoutCancel(t.Context()))) {
			if strings.Contains(name, u.namespace) {
				u.docker(context.WithoutCancel(t.Context()), "image", "rm", "--force", name)
			}
		}
	})
	return u
}

// docker runs the docker of the user and returns what it printed.
func (u *user) docker(ctx context.Context, args ...string) string {
	u.t.Helper()
	command := exec.CommandContext(ctx, lookIn(u.env, "docker"), args...)
	command.Dir, command.Env = u.dir, u.env
	out, err := command.Output()
	if err != nil {
		u.t.Errorf("docker %v: %v: %s", args, err, err.(*exec.ExitError).Stderr)
	}
	return strings.TrimSpace(string(out))
}

// dockerNames are the names of all images in the docker of the user.
func (u *user) dockerNames(ctx context.Context) string {
	u.t.Helper()
	for try := 1; ; try++ {
		command := exec.CommandContext(ctx, lookIn(u.env, "docker"), "image", "ls", "--format", "{{.Repository}}:{{.Tag}}")
		command.Env = u.env
		out, err := command.CombinedOutput()
		if err == nil {
			return string(out)
		}
		// docker fails when an image goes while it lists them.
		if try == 5 {
			u.t.Errorf("docker image ls: %v: %s", err, out)
			return ""
		}
	}
}

// configOf is the image ID that docker's own archive says, asked of the archive since
// docker with containerd's store says it nowhere else.
func (u *user) configOf(name string) string {
	u.t.Helper()
	script := `docker save "$1" | tar -xO manifest.json | sed -E 's#.*"Config":"blobs/sha256/([0-9a-f]{64})".*#sha256:\1#'`
	result := u.try(u.t.Context(), "bash", "-o", "pipefail", "-c", script, "bash", name)
	id := strings.TrimSpace(result.stdout)
	if result.code != 0 || !strings.HasPrefix(id, "sha256:") || len(id) != len("sha256:")+64 {
		u.t.Fatalf("docker save %s: exit %d: %s%s", name, result.code, result.stdout, result.stderr)
	}
	return id
}

func TestDockerOfTodayLoadsWhateverBuildxLeaves(t *testing.T) {
	t.Parallel()
	for name, flags := range map[string][]string{
		"as it is":             nil,
		"without attestations": {"--provenance=false"},
		"with much of them":    {"--provenance=mode=max"},
		"for two platforms":    {"--platform=linux/amd64,linux/arm64"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := todays(t)
			before := u.temporary(t.Context())
			build := append([]string{"build", "--quiet", "--tag", u.source()}, flags...)
			u.docker(t.Context(), append(build, "code")...)
			first := u.load("--source", u.source(), "--engine", "docker").Images[0]
			// Of two platforms docker's archive has two configs.
			if len(flags) == 0 || !strings.HasPrefix(flags[0], "--platform") {
				if want := u.configOf(u.source()); first.ImageID != want {
					t.Errorf("the image ID is %s, want %s", first.ImageID, want)
				}
			}
			wantEverywhere(t, u.source(), first.ImageID)
			again := u.load("--source", u.source(), "--engine", "docker").Images[0]
			if again.Sent != 0 || again.ImageID != first.ImageID {
				t.Errorf("again %d bytes were sent, of %s", again.Sent, again.ImageID)
			}
			u.write("code/build", "second of "+u.namespace)
			u.docker(t.Context(), append(build, "code")...)
			second := u.load("--source", u.source(), "--engine", "docker").Images[0]
			if second.ImageID == first.ImageID {
				t.Errorf("new content has the image ID of the old: %s", second.ImageID)
			}
			wantEverywhere(t, u.source(), second.ImageID)
			u.passing(before)
		})
	}
}

func TestDockerOfTodayIsFoundByItsContext(t *testing.T) {
	t.Parallel()
	u := todays(t)
	host := ""
	u.env = slices.DeleteFunc(u.env, func(variable string) bool {
		value, is := strings.CutPrefix(variable, "DOCKER_HOST=")
		if is {
			host = value
		}
		return is
	})
	// The configuration of all these tests is not this one's to change.
	u.env = append(u.env, "DOCKER_CONFIG="+filepath.Join(u.dir, "docker"))
	u.docker(t.Context(), "context", "create", "todays", "--docker", "host="+host)
	u.env = append(u.env, "DOCKER_CONTEXT=todays")
	archive := u.archive(u.service(u.source(), text("/content", u.namespace)))
	u.docker(t.Context(), "load", "--quiet", "--input", archive)
	result := u.e2eimage("load", "--source", u.source(), "--engine", "docker")
	if result.code != 0 || strings.Contains(result.stderr, "saves all") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	wantEverywhere(t, u.source(), u.configOf(u.source()))
}

func TestDockerOfTodayBuildsLayoutsThatAreLoaded(t *testing.T) {
	t.Parallel()
	u := todays(t)
	for _, output := range []string{"type=oci,dest=oci.tar", "type=docker,dest=docker.tar"} {
		kind := "docker-archive:docker.tar"
		if strings.HasPrefix(output, "type=oci") {
			kind = "oci-archive:oci.tar"
		}
		u.write("code/build", output+" of "+u.namespace)
		u.docker(t.Context(), "build", "--quiet", "--tag", u.source(), "--output", output, "code")
		got := u.load("--source", kind).Images[0]
		if got.Image != u.source() {
			t.Errorf("%s is loaded as %s, want %s", kind, got.Image, u.source())
		}
		wantEverywhere(t, u.source(), got.ImageID)
	}
}

func TestDockerOfTodayFromTheBuildToThePod(t *testing.T) {
	t.Parallel()
	u := todays(t)
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: docker\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build: {context: code}\n")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	before := u.temporary(t.Context())
	image := u.must("up")
	entry := u.lock(u.namespace)["datastorage"]
	if want := u.configOf(image); entry.ImageID != want || entry.EngineID == "" || entry.EngineID == want {
		t.Errorf("the lock has the image ID %s and the engine's %s, want %s and another", entry.ImageID, entry.EngineID, want)
	}
	wantEverywhere(t, image, entry.ImageID)
	if got := u.runs(entry.ImageID); got != 1 {
		t.Errorf("%d containers run it", got)
	}
	if again := u.must("up"); again != image {
		t.Errorf("nothing changed, and the image is %s instead of %s", again, image)
	}
	u.write("code/build", "second of "+u.namespace)
	u.must("build")
	u.refused(3, []string{"kubectl e2eimage"}, "deploy")
	next := u.must("up")
	if next == image {
		t.Errorf("new content has the old tag %s", next)
	}
	if got := u.answers("datastorage"); len(got) != 1 || got[0] != "second of "+u.namespace {
		t.Errorf("the pods answer %q", got)
	}
	u.must("verify")
	u.kubectl("delete", "deployment", "datastorage", "--cascade=foreground", "--wait")
	// Pods without a grace period are gone before their containers, and what runs is left.
	last := u.lock(u.namespace)["datastorage"].ImageID
	waitFor(t, "its containers have ended", func() bool { return u.runs(last) == 0 })
	cleaned := u.e2eimage("clean", "--scope=all")
	if names := u.dockerNames(t.Context()); strings.Contains(names, "localhost/datastorage:"+u.namespace) {
		t.Errorf("clean (exit %d: %s%s) left names: %s", cleaned.code, cleaned.stdout, cleaned.stderr, names)
	}
	u.passing(before)
}

// temporary are names in docker that the product gives for a moment only. Those of tests
// that are killed stay for longer.
func (u *user) temporary(ctx context.Context) []string {
	u.t.Helper()
	return slices.DeleteFunc(strings.Fields(u.dockerNames(ctx)), func(name string) bool {
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

func TestDockerOfTodayTellsWhatItHasNewer(t *testing.T) {
	t.Parallel()
	u := todays(t)
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: docker\nimages:\n- {name: datastorage, source: '"+u.source()+"'}\n")
	u.docker(t.Context(), "build", "--quiet", "--tag", u.source(), "code")
	u.must("load")
	image := u.must("tag")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy")
	// Built again it is the same image, in another index: attestations have the time.
	u.docker(t.Context(), "build", "--quiet", "--tag", u.source(), "code")
	u.must("deploy")
	if again := u.must("tag"); again != image {
		t.Errorf("the same image is %s now, was %s", again, image)
	}
	u.write("code/build", "second of "+u.namespace)
	u.docker(t.Context(), "build", "--quiet", "--tag", u.source(), "code")
	u.refused(3, []string{"rebuilt, but not loaded"}, "deploy")
	u.must("load")
	u.must("tag")
	u.must("deploy")
	if got := u.answers("datastorage"); len(got) != 1 || got[0] != "second of "+u.namespace {
		t.Errorf("the pods answer %q", got)
	}
}

func TestDockerOfTodayGivesPrebuiltImages(t *testing.T) {
	t.Parallel()
	u := todays(t)
	u.docker(t.Context(), "build", "--quiet", "--tag", u.source(), "code")
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: docker\nimages:\n- {name: datastorage, prebuilt: '"+u.source()+"'}\n")
	u.must("build")
	u.must("load")
	image := u.must("tag")
	wantEverywhere(t, image, u.configOf(u.source()))
	u.must("clean", "--scope=all")
	if names := u.dockerNames(t.Context()); !strings.Contains(names, u.source()) {
		t.Errorf("the adopted image is gone: %s", names)
	}
}
