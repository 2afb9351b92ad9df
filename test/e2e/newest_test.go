package e2e

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/scratchimage"
)

// loseLock takes away what the host knows, as `git clean` does.
func (u *user) loseLock() {
	u.t.Helper()
	if err := os.RemoveAll(filepath.Join(u.dir, ".e2eimage")); err != nil {
		u.t.Fatal(err)
	}
}

// elsewhere is a copy of the user in a folder of its own, without config and lock.
func (u *user) elsewhere() *user {
	return &user{t: u.t, namespace: u.namespace, dir: tempDir(u.t), env: u.env}
}

// version is a service whose content is another one each time.
func (u *user) version(name string) string {
	return u.inEngine(u.service(u.source(), text("/version", name+" of "+u.namespace)))
}

func TestNewContentUnderAnExactTagIsNotTakenForWhatIsRecorded(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("build", "datastorage", "--tag", "v1")
	u.must("load")
	u.must("tag")
	u.must("deploy")
	u.write("code/build", "second of "+u.namespace)
	u.must("build", "datastorage", "--tag", "v1")
	u.refused(3, []string{"built, but not loaded", "kubectl e2eimage load datastorage"}, "deploy")
	u.refused(3, nil, "verify")
	if got := u.states()["datastorage"]; got != "Stale" {
		t.Errorf("status says %s", got)
	}
}

func TestWithoutALockWhatIsNewerIsSeenAllTheSame(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	tag := []string{"tag", "datastorage", "--source", u.source(), "--consumer", u.namespace}
	load := []string{"load", "datastorage", "--source", u.source(), "--consumer", u.namespace}
	u.version("first")
	u.must(load...)
	first := u.must(tag...)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy", "datastorage")
	second := u.version("second")
	says := []string{u.source() + " in " + suite.provider, "rebuilt, but not loaded", "kubectl e2eimage load datastorage", "--source " + u.source(), "--allow-stale"}
	u.refused(3, says, "deploy", "datastorage")
	u.refused(3, []string{"rebuilt, but not loaded"}, tag...)
	u.refused(3, nil, "verify")
	u.must(load...)
	u.refused(3, []string{first, "loaded, but not tagged", "kubectl e2eimage tag datastorage"}, "deploy", "datastorage")
	if got := u.must(tag...); got == first {
		t.Errorf("new content has the old tag %s", got)
	}
	u.must("deploy", "datastorage")
	u.must("verify")
	if got := u.runs(second); got != 1 {
		t.Errorf("%d containers run what is newest", got)
	}
}

func TestWhatNodesGotByOtherMeansIsSeenWithoutALock(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.image(u.source())
	tag := []string{"tag", "datastorage", "--source", u.source(), "--consumer", u.namespace}
	first := u.must(tag...)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy", "datastorage")
	second := u.image(u.source())
	u.refused(3, []string{first, "the nodes have", "loaded, but not tagged"}, "deploy", "datastorage")
	u.must(tag...)
	u.must("deploy", "datastorage")
	if got := u.runs(second); got != 1 {
		t.Errorf("%d containers run what is newest", got)
	}
}

func TestALostLockMovesNoRecordBackwards(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	old := u.image(u.source())
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("build")
	u.must("load")
	image := u.must("tag")
	id := u.lock(u.namespace)["datastorage"].ImageID
	u.loseLock()
	result := u.e2eimage("tag")
	if result.code != 0 || strings.TrimSpace(result.stdout) != image || !strings.Contains(result.stderr, "have another image as") {
		t.Errorf("exit %d, %s, want %s and a word about the other image: %s", result.code, result.stdout, image, result.stderr)
	}
	u.must("deploy")
	u.must("verify")
	if got := u.runs(id); got != 1 || id == old {
		t.Errorf("%d containers run what was built", got)
	}
	u.loseLock()
	u.write("code/build", "second of "+u.namespace)
	u.rebuilt()
	u.refused(3, []string{"rebuilt, but not loaded"}, "tag")
	u.refused(3, []string{"rebuilt, but not loaded"}, "deploy")
}

// rebuilt builds the service past the plugin.
func (u *user) rebuilt() {
	u.t.Helper()
	buildOnHost(u.t, u.source(), filepath.Join(u.dir, "code"))
}

func TestAnArchiveThatWasReplacedSinceItWasLoadedIsSeen(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, kind, more string }{
		{"an archive as source", "source: 'docker-archive:image.tar'", ""},
		{"a prebuilt archive", "prebuilt: 'docker-archive:image.tar'", ""},
		{"a compressed archive", "source: 'docker-archive:image.tar.gz'", "gzip"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nimages:\n- {name: datastorage, "+test.kind+"}\n")
			u.replaceArchive(test.more, "first")
			u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
			u.must("load")
			u.must("tag")
			u.must("deploy")
			u.must("verify")
			u.replaceArchive(test.more, "second")
			u.refused(3, []string{"image.tar"}, "tag")
			u.refused(3, []string{"image.tar"}, "deploy")
			u.refused(3, nil, "verify")
			u.loseLock()
			u.refused(3, []string{"image.tar"}, "deploy")
			if where := u.elsewhere(); test.more == "" {
				where.refused(3, []string{"image.tar"}, "deploy", "datastorage", "--consumer", u.namespace)
			}
		})
	}
}

func (u *user) replaceArchive(compression, version string) {
	u.t.Helper()
	image := u.service(u.source(), text("/version", version+" of "+u.namespace))
	file := filepath.Join(u.dir, "image.tar")
	if err := scratchimage.WriteArchive(file, image); err != nil {
		u.t.Fatal(err)
	}
	if compression == "" {
		return
	}
	if out, err := exec.CommandContext(u.t.Context(), compression, "--force", file).CombinedOutput(); err != nil {
		u.t.Fatalf("%v: %s", err, out)
	}
}

func TestFromAnyFolderStatusSaysWhatIsStale(t *testing.T) {
	t.Parallel()
	u := retagger(t)
	u.version("first")
	u.must("load")
	u.must("tag")
	u.version("second")
	where := u.elsewhere()
	if got := where.states("--consumer", u.namespace)["datastorage"]; got != "Stale" {
		t.Errorf("status says %s", got)
	}
	where.refused(3, []string{"rebuilt"}, "deploy", "datastorage", "--consumer", u.namespace, "--dry-run=client")
}

func TestASourceThatWasRenamedInTheConfigIsNotTakenForTheOneBefore(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("up")
	config := filepath.Join(u.dir, "e2eimage.yaml")
	was, err := os.ReadFile(config)
	if err != nil {
		t.Fatal(err)
	}
	renamed := strings.Replace(u.source(), ":dev", "-renamed:dev", 1)
	u.write("e2eimage.yaml", strings.Replace(string(was), u.source(), renamed, 1))
	u.write("code/build", "second of "+u.namespace)
	u.refused(3, []string{renamed, "which was not loaded"}, "deploy")
	u.must("up")
	if got := u.answers("datastorage"); len(got) != 1 || got[0] != "second of "+u.namespace {
		t.Errorf("it runs %v", got)
	}
}

func TestANewCheckoutGoesOnFromWhatIsRecorded(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("up")
	u.loseLock()
	u.write("code/build", "second of "+u.namespace)
	u.must("build")
	u.refused(3, []string{"built, but not loaded"}, "deploy")
	u.must("load")
	u.refused(3, []string{"loaded, but not tagged", "kubectl e2eimage tag datastorage"}, "deploy")
	u.must("tag")
	u.must("deploy")
	if got := u.answers("datastorage"); len(got) != 1 || got[0] != "second of "+u.namespace {
		t.Errorf("it runs %v", got)
	}
}

func TestWhereNobodyCanBeAskedItIsSaid(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.version("first")
	u.must("load", "datastorage", "--source", u.source(), "--consumer", u.namespace)
	u.must("tag", "datastorage", "--source", u.source(), "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	u.must("deploy", "datastorage")
	// As if it had been recorded from another host, whose engines nobody here can ask.
	record := u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", "yaml")
	here, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(record, "host: "+here) {
		t.Fatalf("the record does not say its host:\n%s", record)
	}
	u.write("record.yaml", strings.ReplaceAll(record, "host: "+here, "host: elsewhere"))
	u.kubectl("replace", "-f", "record.yaml")
	u.version("second")
	result := u.e2eimage("deploy", "datastorage")
	if result.code != 0 || !strings.Contains(strings.Join(strings.Fields(result.stderr), " "), "it was recorded on host elsewhere") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
}
