package e2e

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

func TestABuildThatFailsLeavesNothing(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("code/Dockerfile", "FROM scratch\nCOPY service /\nCOPY not-there /\n")
	u.refused(1, []string{"datastorage: the build by " + suite.provider + " ended with exit code", "not-there"}, "build")
	if lock := u.lock(u.namespace); len(lock) > 0 {
		t.Errorf("the lock says %v", lock)
	}
	if names := u.onHost(t.Context(), u.namespace); len(names) > 0 {
		t.Errorf("the host has %v", names)
	}
}

func TestBuildArgumentsArriveAsTheyAreAndSecretsStaySecret(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	const odd, secret = `a 'b' "c" $HOME $(id)` + "`id`", "s3cr3t-of-somebody"
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build:\n    context: code\n    args:\n      ODD: |-\n        "+odd+"\n      TOKEN: '{{env \"TOKEN\"}}'\n")
	u.write("code/Dockerfile", "FROM scratch\nARG ODD\nARG TOKEN\nLABEL odd=$ODD said=$TOKEN\nCOPY service build /\nENTRYPOINT [\"/service\"]\n")
	u.env = append(slices.Clone(u.env), "TOKEN="+secret)
	result := u.e2eimage("build", "-v", "6")
	if result.code != 0 {
		t.Fatalf("exit %d: %s", result.code, result.stderr)
	}
	if strings.Contains(result.stderr+result.stdout, secret) {
		t.Errorf("the secret is printed: %s", result.stderr)
	}
	text, err := os.ReadFile(filepath.Join(u.dir, ".e2eimage", u.namespace+".lock.yaml"))
	if err != nil || strings.Contains(string(text), secret) {
		t.Errorf("the secret is recorded (%v): %s", err, text)
	}
	out, err := exec.CommandContext(t.Context(), suite.provider, "image", "inspect", "--format", `{{index .Config.Labels "odd"}}`, u.source()).Output()
	if err != nil || strings.TrimSpace(string(out)) != odd {
		t.Errorf("the argument arrived as %q, want %q (%v)", out, odd, err)
	}
}

func TestTwoBuildsOfOneNameAtOnceHaveOneTag(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	images := make([]string, 3)
	var all sync.WaitGroup
	for i := range images {
		all.Go(func() {
			result := u.e2eimage("build")
			if result.code != 0 {
				t.Errorf("exit %d: %s", result.code, result.stderr)
			}
			images[i] = strings.TrimSpace(result.stdout)
		})
	}
	all.Wait()
	entry := u.lock(u.namespace)["datastorage"]
	if names := u.onHost(t.Context(), "datastorage:"+u.namespace); !slices.Contains(names, entry.Image) {
		t.Errorf("the lock says %s, the host has %v", entry.Image, names)
	}
	if images[0] == "" || !slices.Contains(images, entry.Image) {
		t.Errorf("printed %v, the lock says %s", images, entry.Image)
	}
}

func TestALockThatCannotBeRead(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	lock := ".e2eimage/" + u.namespace + ".lock.yaml"
	for what, test := range map[string]struct {
		content, says string
		code          int
	}{
		"half-written":          {"apiVersion: e2eimage.dev/v1alpha1\nkind: Lock\nconsumer: " + u.namespace + "\nimages:\n  datastorage:\n    image: loc", "is damaged", 3},
		"empty":                 {"", "is damaged", 3},
		"no YAML":               {"{", "is damaged", 3},
		"of a newer version":    {"apiVersion: e2eimage.dev/v9\nkind: Lock\n", "use a newer kubectl-e2eimage", 3},
		"of somebody else":      {"apiVersion: e2eimage.dev/v1alpha1\nkind: Lock\nconsumer: other\n", `consumer "other"`, 2},
		"with an entry of null": {"apiVersion: e2eimage.dev/v1alpha1\nkind: Lock\nconsumer: " + u.namespace + "\nimages: {datastorage: null}\n", "is incomplete", 3},
	} {
		u.write(lock, test.content)
		for _, verb := range []string{"build", "load", "tag", "ref", "up"} {
			if result := u.e2eimage(verb); result.code != test.code || !strings.Contains(strings.Join(strings.Fields(result.stderr), " "), test.says) {
				t.Errorf("%s, %s: exit %d: %s", what, verb, result.code, result.stderr)
			}
		}
	}
	if err := os.Remove(filepath.Join(u.dir, lock)); err != nil {
		t.Fatal(err)
	}
	u.refused(1, []string{"the lock file cannot be written", "--lock"}, "build", "--lock", "/proc/no/lock.yaml")
	image := u.must("build", "--lock", "mine.yaml")
	if got := u.must("ref", "datastorage", "--lock", "mine.yaml"); got != image {
		t.Errorf("the lock that was asked for says %s, want %s", got, image)
	}
}

func TestALockOfAnotherHostOnlyTellsTheTag(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	image := u.must("build")
	u.must("load")
	path := filepath.Join(u.dir, ".e2eimage", u.namespace+".lock.yaml")
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	host, err := os.Hostname()
	if err != nil {
		t.Fatal(err)
	}
	u.write(".e2eimage/"+u.namespace+".lock.yaml", strings.Replace(string(text), "host: "+host, "host: elsewhere", 1))
	u.inEngine(u.service(u.source()))
	result := u.e2eimage("load")
	if result.code != 0 || strings.TrimSpace(result.stdout) != image || !strings.Contains(strings.Join(strings.Fields(result.stderr), " "), "written on host elsewhere") {
		t.Errorf("load: exit %d, %s: %s", result.code, result.stdout, result.stderr)
	}
	if got := u.must("tag"); got != image {
		t.Errorf("tagged is %s, want %s", got, image)
	}
}

func TestAClusterThatWasMadeAnewMovesOn(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	image := u.must("build")
	u.must("load")
	u.must("tag")
	// The record and the nodes' names go, as with a new cluster; the lock stays.
	u.must("clean", "--scope=cluster")
	u.nothingLeft("localhost/datastorage:" + u.namespace)
	if entry := u.lock(u.namespace)["datastorage"]; entry.Image != image || len(entry.Clusters) > 0 {
		t.Errorf("the lock says %+v", entry)
	}
	u.must("load")
	if got := u.must("tag"); got != image {
		t.Errorf("the tag was %s and is %s", image, got)
	}
}

func TestCleanTakesWhatBuildsLeftOnTheHost(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	image := u.must("build")
	env := u.env
	u.env = append(without(slices.Clone(env), "KUBECONFIG"), "KUBECONFIG="+os.DevNull)
	u.refused(1, nil, "clean")
	if len(u.lock(u.namespace)) != 1 {
		t.Error("the lock went although the cluster could not be cleaned")
	}
	dry := u.must("clean", "--scope=host", "--dry-run")
	if !strings.Contains(dry, suite.provider+" "+image+" would be removed") || len(u.onHost(t.Context(), image)) != 1 {
		t.Errorf("dry run: %s", dry)
	}
	u.must("clean", "--scope=host")
	if names := u.onHost(t.Context(), "datastorage:"+u.namespace); len(names) > 0 || len(u.lock(u.namespace)) > 0 {
		t.Errorf("the host has %v, the lock %v", names, u.lock(u.namespace))
	}
	if names := u.onHost(t.Context(), u.source()); len(names) != 1 {
		t.Errorf("the source's name went, too: %v", names)
	}
}

func TestOnlySoManyImagesOfBeforeKeepTheirNames(t *testing.T) {
	t.Parallel()
	u := builder(t, "keepPrevious: 1\n")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	var images []string
	for round := range 4 {
		u.write("code/build", fmt.Sprintf("%d of %s", round, u.namespace))
		images = append(images, u.must("up"))
	}
	// The container of before ends with its pod, and then its name may go.
	waitFor(t, "old pods are gone", func() bool { return len(u.answers("datastorage")) == 1 })
	u.write("code/build", "last of "+u.namespace)
	images = append(images, u.must("up"))
	want := slices.Sorted(slices.Values(images[3:]))
	if got := u.onHost(t.Context(), "datastorage:"+u.namespace); !slices.Equal(slices.Sorted(slices.Values(got)), want) {
		t.Errorf("the host has %v, want %v", got, want)
	}
	for node, has := range imagesOn(t) {
		if got := has.with("datastorage:" + u.namespace); len(got) > 3 || !slices.Contains(got, images[4]) {
			t.Errorf("node %s has %v", node, got)
		}
	}
}

func TestACommandBuildsWhatItLeavesUnderTheSource(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("make.sh", buildScript())
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build: {command: [sh, make.sh, '"+u.source()+"'], context: code}\n")
	image := u.must("build")
	if again := u.must("build"); again != image {
		t.Errorf("again it is %s, before %s", again, image)
	}
	u.write("make.sh", "echo all is well\n")
	engine(t, "image", "rm", u.source())
	u.refused(1, []string{"its build command succeeded, but left no image"}, "build")
	u.write("make.sh", "echo it is broken >&2; exit 7\n")
	u.refused(1, []string{"the build by sh ended with exit code 7", "it is broken"}, "build")
}

func TestBuildsAreRefusedThatCannotBe(t *testing.T) {
	t.Parallel()
	u := builder(t, "- {name: gateway, source: localhost/gateway:dev}\n")
	u.refused(2, []string{"gateway has no build"}, "build", "gateway")
	u.write("other/e2eimage.yaml", configHead+"consumer: x\nimages:\n- {name: a, build: {command: [\"true\"]}}\n")
	u.refused(1, []string{"its build command succeeded, but left no image", "localhost/a:x-"}, "build", "--config", "other/e2eimage.yaml")
	none := tempDir(t)
	alone := &user{t: t, namespace: u.namespace, dir: u.dir, env: append(slices.Clone(u.env), "PATH="+none)}
	plugin := alone.plugin("build", "datastorage", "--engine", "docker")
	wantRefused(t, alone.finish(plugin, nil), 1, "docker")
	nowhere := &user{t: t, namespace: u.namespace, dir: tempDir(t), env: u.env}
	nowhere.refused(2, []string{"lock", "e2eimage.yaml"}, "build", "datastorage", "--consumer", "x")
	u.refused(2, []string{"exactly one"}, "build", "--tag", "v1", "--", "--pull")
}

func TestAnInterruptedBuildLeavesNothing(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.write("make.sh", "echo started; sleep 60\n")
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build: {command: [sh, make.sh]}\n")
	command := u.plugin("build")
	result := u.finish(command, func(process *os.Process) {
		time.AfterFunc(time.Second, func() { _ = process.Signal(os.Interrupt) })
	})
	if result.code != 130 || len(u.lock(u.namespace)) > 0 {
		t.Errorf("exit %d, lock %v: %s", result.code, u.lock(u.namespace), result.stderr)
	}
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
	u.refused(124, []string{"--build-timeout=1s"}, "build", "--build-timeout", "1s")
}

// Not parallel: it would take others' images.
func TestAPruneBetweenBuildAndLoadTakesNothing(t *testing.T) {
	u := builder(t, "")
	image := u.must("build")
	engine(t, "rmi", u.source())
	engine(t, "image", "prune", "-f")
	u.must("load")
	u.must("tag")
	wantEverywhere(t, image, u.lock(u.namespace)["datastorage"].ImageID)
}

func TestPrebuiltImagesAreAdoptedAndStay(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	archive := u.archive(u.service("localhost/" + u.namespace + "-ci:dev"))
	u.code("code")
	u.wipeHost()
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  prebuilt: 'docker-archive:{{env \"ARTIFACTS\"}}/image.tar'\n  build: {context: code}\n")
	u.refused(2, []string{"ARTIFACTS"}, "build", "--prebuilt=require")
	env := u.env
	u.env = append(slices.Clone(env), "ARTIFACTS="+tempDir(t))
	u.refused(1, []string{"prebuilt", "image.tar"}, "build", "--prebuilt=require")
	u.env = append(slices.Clone(env), "ARTIFACTS="+filepath.Dir(archive))
	image := u.must("build")
	if entry := u.lock(u.namespace)["datastorage"]; entry.Via != "prebuilt" || entry.EngineID != "" {
		t.Errorf("the lock says %+v", entry)
	}
	u.must("load")
	u.must("tag")
	wantEverywhere(t, image, u.lock(u.namespace)["datastorage"].ImageID)
	u.must("clean")
	if _, err := os.Stat(archive); err != nil {
		t.Error(err)
	}
	u.nothingLeft("localhost/datastorage:" + u.namespace)
	u.env = append(slices.Clone(u.env), "E2EIMAGE_PREBUILT=ignore")
	u.must("build")
	if entry := u.lock(u.namespace)["datastorage"]; entry.Via != "build" {
		t.Errorf("ignored, the lock says %+v", entry)
	}
}

func TestAnAdoptedImageOfTheEngineIsNotRemoved(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ci := u.service("localhost/" + u.namespace + "-ci:dev")
	u.inEngine(ci)
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- {name: datastorage, source: '"+u.source()+"', prebuilt: '"+ci.Reference+"'}\n")
	u.must("build")
	u.must("load", "--release")
	u.must("tag")
	u.must("clean")
	if names := u.onHost(t.Context(), ci.Reference); len(names) != 1 {
		t.Errorf("it is gone: %v", names)
	}
}

func TestAnImageForAnotherPlatformIsNotLoaded(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	other := map[string]string{"amd64": "linux/arm64", "arm64": "linux/amd64"}[runtime.GOARCH]
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build: {context: code, platform: "+other+"}\n")
	image := u.must("build")
	u.refused(3, []string{"is for " + other, "the nodes are linux/" + runtime.GOARCH}, "load")
	for node, has := range imagesOn(t) {
		if has[image] != "" {
			t.Errorf("node %s has it", node)
		}
	}
}

func TestAContextOutsideTheRepositoryIsBuilt(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.code("code")
	u.wipeHost()
	u.write("repository/e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n- name: datastorage\n  source: "+u.source()+
		"\n  build: {context: ../code, file: ../Dockerfile.e2e}\n")
	u.write("Dockerfile.e2e", "FROM scratch\nCOPY service build /\nENTRYPOINT [\"/service\"]\n")
	inside := &user{t: t, namespace: u.namespace, dir: filepath.Join(u.dir, "repository"), env: u.env}
	image := inside.must("build")
	if entry := inside.lock(u.namespace)["datastorage"]; entry.Image != image {
		t.Errorf("the lock says %+v", entry)
	}
	u.write("Dockerfile.e2e", "FROM scratch\nCOPY service build code /\nENTRYPOINT [\"/service\"]\n")
	inside.must("load")
	if result := inside.e2eimage("tag"); result.code != 0 || !strings.Contains(strings.Join(strings.Fields(result.stderr), " "), "changed since it was built") {
		t.Errorf("another Dockerfile: exit %d: %s", result.code, result.stderr)
	}
}
