package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// upWithoutACluster builds, says what is missing, and ends with 1.
func (u *user) upWithoutACluster() (image, stderr string) {
	u.t.Helper()
	alone := *u
	alone.env = append(without(slices.Clone(u.env), "E2EIMAGE_KIND_CLUSTER"), "E2EIMAGE_KIND_CLUSTER=none-of-that-name")
	result := alone.refused(1, []string{"none-of-that-name"}, "up")
	return u.lock(u.namespace)["datastorage"].Image, result.stderr
}

// wrapped puts a script before the engine, which then is "$real".
func (u *user) wrapped(script string) {
	u.t.Helper()
	dir := filepath.Join(u.dir, "wrapper")
	u.write("wrapper/"+suite.provider, "#!/bin/sh\nPATH=${PATH#*:}\nreal="+suite.provider+"\n"+script)
	if err := os.Chmod(filepath.Join(dir, suite.provider), 0o755); err != nil {
		u.t.Fatal(err)
	}
	u.env = append(slices.Clone(u.env), "PATH="+dir+":"+suite.bin+":"+os.Getenv("PATH"))
}

// layers gives the user two images, of which the service is built on the other one.
func (u *user) layers(dockerfile string) {
	u.t.Helper()
	u.code("zero")
	u.write("code/file", "first")
	u.write("code/Dockerfile", strings.ReplaceAll(dockerfile, "ZERO", "localhost/"+u.namespace+"-zero"))
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n"+
		"- {name: datastorage, source: '"+u.source()+"', build: {context: code}}\n"+
		"- {name: zero, source: 'localhost/"+u.namespace+"-zero:dev', repository: 'localhost/"+u.namespace+"-recorded', build: {context: zero}, deploy: {workloads: []}}\n")
	u.wipeHost()
}

func TestWhatIsBuiltOnAnotherImageRunsItsNewCode(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.layers("ARG TAG=dev\nFROM ZERO:$TAG\nCOPY file /\n")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("up")
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"first of " + u.namespace}) {
		t.Errorf("pods say %v", got)
	}
	again := u.e2eimage("up")
	for _, image := range []string{"datastorage", "zero"} {
		if !strings.Contains(again.stderr, image+": nothing changed since it was built") {
			t.Errorf("%s was built again: %s", image, again.stderr)
		}
	}
	u.write("zero/build", "second of "+u.namespace)
	u.must("up")
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"second of " + u.namespace}) {
		t.Errorf("pods say %v", got)
	}
	// Built alone it is newer than what is built on it.
	u.write("zero/build", "third of "+u.namespace)
	u.must("build", "zero")
	result := u.e2eimage("deploy", "datastorage")
	if said := strings.Join(strings.Fields(result.stderr), " "); result.code != 0 || !strings.Contains(said, "datastorage: its base image localhost/"+u.namespace+"-zero:dev changed since it was built") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	u.must("up")
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"third of " + u.namespace}) {
		t.Errorf("pods say %v", got)
	}
}

func TestImagesAreBuiltAfterThoseThatTheyTakeFilesFrom(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.layers("FROM scratch\nCOPY --from=ZERO:dev /service /build /\nENTRYPOINT [\"/service\"]\n")
	u.must("build")
	u.write("code/Dockerfile", "FROM localhost/"+u.namespace+"-zero:dev\n")
	u.write("zero/Dockerfile", "FROM "+u.source()+"\n")
	u.refused(2, []string{"datastorage is built on zero, zero is built on datastorage"}, "build")
}

func TestAllThatAnImageIsBuiltFromCounts(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("code/Dockerfile", "FROM scratch\nCOPY . /\nENTRYPOINT [\"/service\"]\n")
	u.write("code/.git/HEAD", "first")
	if err := os.Symlink("code", filepath.Join(u.dir, "link")); err != nil {
		t.Fatal(err)
	}
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- {name: datastorage, source: '"+u.source()+"', build: {context: link}}\n")
	at := func(name string) string { return filepath.Join(u.dir, "code", name) }
	const sameLooks = "one of the same size and time"
	image, _ := u.upWithoutACluster()
	changes := []struct {
		what string
		do   func() error
		same bool
	}{
		{"nothing", func() error { return nil }, true},
		{"a file behind a link", func() error { u.write("code/build", "second of "+u.namespace); return nil }, false},
		{sameLooks, func() error {
			info, err := os.Stat(at("build"))
			if err == nil {
				u.write("code/build", "thirds of "+u.namespace)
				err = os.Chtimes(at("build"), info.ModTime(), info.ModTime())
			}
			return err
		}, false},
		{"git's files", func() error { u.write("code/.git/HEAD", "second"); return nil }, false},
		{"a mode", func() error { return os.Chmod(at("build"), 0o600) }, false},
		{"an ignore file", func() error { u.write("code/.dockerignore", ".git\n"); return nil }, false},
		{"what is left out", func() error { u.write("code/.git/HEAD", "third"); return nil }, true},
		{"a Dockerfile", func() error {
			u.write("code/Dockerfile", "FROM scratch\nCOPY service build /\nENTRYPOINT [\"/service\"]\n")
			return nil
		}, false},
	}
	for _, change := range changes {
		if err := change.do(); err != nil {
			t.Fatal(err)
		}
		next, said := u.upWithoutACluster()
		if unchanged := strings.Contains(said, "nothing changed since it was built"); unchanged != change.same {
			t.Errorf("%s changed: it was built: %v: %s", change.what, !unchanged, said)
		}
		// BuildKit does not fetch a file again that has the size and the time of before.
		if (next == image) != change.same && !(change.what == sameLooks && suite.provider == "docker") {
			t.Errorf("%s changed: the image was %s and is %s: %s", change.what, image, next, said)
		}
		image = next
	}
	if suite.ordinary != nil {
		// Files change their owner before each command, and lose it.
		return
	}
	// Only root may set one, and not on every file system.
	capability := []byte{1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}
	if err := unix.Setxattr(at("service"), "security.capability", capability, 0); err != nil {
		t.Logf("no capability: %v", err)
		return
	}
	if _, said := u.upWithoutACluster(); strings.Contains(said, "nothing changed since it was built") {
		t.Errorf("a capability was overlooked: %s", said)
	}
}

func TestFilesThatChangeDuringABuildAreNotTakenForBuilt(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	env := u.env
	u.wrapped(`if [ "$1" = build ]; then
  cp code/build before; echo meanwhile > code/build
  "$real" "$@"; code=$?
  cat before > code/build; exit $code
fi
exec "$real" "$@"
`)
	if _, said := u.upWithoutACluster(); !strings.Contains(strings.Join(strings.Fields(said), " "), "changed during the build") {
		t.Errorf("it does not say so: %s", said)
	}
	wrong := u.lock(u.namespace)["datastorage"].Image
	u.env = env
	if image, said := u.upWithoutACluster(); image == wrong {
		t.Errorf("it is still %s: %s", image, said)
	}
}

func TestFlagsThatNameFilesAndThoseThatNobodyCanCompare(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("more/file", "first")
	config := func(flags string) {
		u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: '"+u.source()+
			"'\n  build: {context: code, flags: {"+suite.provider+": ["+flags+"]}}\n")
	}
	const unchanged, each = "nothing changed since it was built", "built each time, since what "
	config("--file, " + filepath.Join(u.dir, "other"))
	u.write("other", "FROM scratch\nCOPY service build /\nENTRYPOINT [\"/service\"]\n")
	image, _ := u.upWithoutACluster()
	if _, said := u.upWithoutACluster(); !strings.Contains(said, unchanged) {
		t.Errorf("nothing changed, and it says %s", said)
	}
	u.write("other", "FROM scratch\nCOPY service build /\nLABEL a=b\nENTRYPOINT [\"/service\"]\n")
	if next, said := u.upWithoutACluster(); next == image {
		t.Errorf("another Dockerfile was overlooked: %s", said)
	}
	config("--pull")
	u.upWithoutACluster()
	if _, said := u.upWithoutACluster(); strings.Contains(said, unchanged) || !strings.Contains(said, each+"--pull") {
		t.Errorf("it says %s", said)
	}
}

// Which files an engine reads, it has to tell itself.
func TestEachEngineReadsItsOwnFiles(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("code/Dockerfile", "FROM scratch\nCOPY . /\nLABEL by=docker\nENTRYPOINT [\"/service\"]\n")
	u.write("code/Containerfile", "FROM scratch\nCOPY . /\nLABEL by=podman\nENTRYPOINT [\"/service\"]\n")
	u.write("code/.dockerignore", "left-docker\n")
	u.write("code/.containerignore", "left-podman\n")
	image, _ := u.upWithoutACluster()
	out, err := exec.CommandContext(t.Context(), suite.provider, "image", "inspect", "--format", `{{index .Config.Labels "by"}}`, image).Output()
	if err != nil || strings.TrimSpace(string(out)) != suite.provider {
		t.Errorf("%s reads the file for %s (%v)", suite.provider, out, err)
	}
	for _, step := range []struct {
		file string
		same bool
	}{
		{"left-" + suite.provider, true},
		{"left-" + map[string]string{"podman": "docker", "docker": "podman"}[suite.provider], false},
	} {
		u.write("code/"+step.file, "x")
		next, said := u.upWithoutACluster()
		if (next == image) != step.same {
			t.Errorf("%s: the image was %s and is %s: %s", step.file, image, next, said)
		}
		image = next
	}
}

func TestACommandThatBuiltNothingIsSaid(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("make.sh", buildScript())
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build: {command: [sh, make.sh, '"+u.source()+"'], context: code}\n")
	const left = "its build command left the image unchanged"
	build := func() string {
		result := u.e2eimage("build")
		if result.code != 0 {
			t.Errorf("exit %d: %s", result.code, result.stderr)
		}
		return strings.Join(strings.Fields(result.stderr), " ")
	}
	if said := build() + build(); strings.Contains(said, left) {
		t.Errorf("nothing changed, and it says %s", said)
	}
	u.write("code/build", "second of "+u.namespace)
	second := build()
	if strings.Contains(second, left) {
		t.Errorf("it was built, and it says %s", second)
	}
	u.write("code/build", "third of "+u.namespace)
	u.write("make.sh", "echo up to date\n")
	if said := build(); !strings.Contains(said, left) {
		t.Errorf("it does not say so: %s; before it said %s", said, second)
	}
}

func TestTheNextRunTakesAwayWhatAKilledOneLeft(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	temporary := tempDir(t)
	u.env = append(slices.Clone(u.env), "TMPDIR="+temporary)
	env := u.env
	names := func() []string { return u.onHost(t.Context(), "datastorage:"+u.namespace) }
	for i, at := range []string{"build", "tag"} {
		u.env = env
		u.wrapped(fmt.Sprintf(`echo "$@" >> asked
"$real" "$@"; code=$?
[ "$1" = %s ] && kill -9 $PPID
exit $code
`, at))
		u.write("code/build", fmt.Sprintf("%d of %s", i, u.namespace))
		if result := u.e2eimage("build"); result.code != -1 {
			t.Errorf("it was not killed, but ended with %d: %s", result.code, result.stderr)
		}
		u.env = env
		image := u.must("build")
		for _, name := range names() {
			if entry := u.lock(u.namespace)["datastorage"]; name != image && i == 0 || entry.Image != image {
				t.Errorf("killed at %s: the engine has %s, the lock %+v", at, name, entry)
			}
		}
	}
	u.must("clean", "--scope=host")
	if left := names(); len(left) > 0 {
		t.Errorf("no lock knows %v", left)
	}
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("the temporary folder has %v, %v", left, err)
	}
	asked, err := os.ReadFile(filepath.Join(u.dir, "asked"))
	if err != nil {
		t.Fatal(err)
	}
	for word := range strings.FieldsSeq(string(asked)) {
		// The names that it had for a moment.
		if strings.Contains(word, "/e2eimage") && len(u.onHost(t.Context(), word)) > 0 {
			t.Errorf("the engine still has %s", word)
		}
	}
}
