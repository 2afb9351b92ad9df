package e2e

import (
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
)

// typedCommand finds a command in a message, and its arguments.
var typedCommand = regexp.MustCompile(`kubectl e2eimage ([^\n;,()]+)`)

// typing runs the commands that a message prints, as they are, and wants them to succeed.
func (u *user) typing(message string) {
	u.t.Helper()
	commands := typedCommand.FindAllStringSubmatch(message, -1)
	if len(commands) == 0 {
		u.t.Errorf("no command in: %s", message)
	}
	for _, command := range commands {
		u.must(strings.Fields(command[1])...)
	}
}

// owned wants a name on all nodes to carry the owner label.
func owned(t *testing.T, name, owner string) {
	t.Helper()
	for node, line := range onNodes(t, "ctr", "-n", "k8s.io", "images", "ls", "name=="+name) {
		if !strings.Contains(line, "e2eimage.dev/owner="+owner) {
			t.Errorf("on node %s it is nobody's: %s", node, line)
		}
	}
}

func TestTheSourcesOwnNameIsTheRecordsOnceItIsRecorded(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	id := u.image(ref)
	tag := []string{"tag", "datastorage", "--source", ref, "--repository", "localhost/" + u.namespace, "--tag", "dev", "--consumer", u.namespace}
	if got := u.must(tag...); got != ref {
		t.Fatalf("recorded is %s", got)
	}
	owned(t, ref, u.namespace+"."+u.namespace+".datastorage")
	archive := "docker-archive:" + u.archive(u.service(ref, text("/version", "2 of "+u.namespace)))
	refused := u.refused(3, []string{"is the recorded image", "give the image another name where it is built"}, "load", "--source", archive)
	wantEverywhere(t, ref, id)
	u.typing(refused.stderr)
	u.must("load", "--source", archive)
	for node, has := range imagesOn(t) {
		if has[ref] == id || has[ref] == "" {
			t.Errorf("node %s has %q", node, has[ref])
		}
	}
}

func TestTwoLoadsOfDifferentContentUnderOneName(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	ref := "localhost/" + u.namespace + ":dev"
	var loads [][]string
	var ids []string
	for _, version := range []string{"1", "2"} {
		image := u.service(ref, text("/version", version+u.namespace))
		id, err := image.ImageID()
		if err != nil {
			t.Fatal(err)
		}
		loads, ids = append(loads, []string{"load", "--source", "docker-archive:" + u.archive(image)}), append(ids, id)
	}
	want := func(outcomes []outcome) {
		t.Helper()
		has := imagesOn(t)[suite.nodes[0]][ref]
		wantEverywhere(t, ref, has)
		winner := slices.Index(ids, has)
		if winner < 0 || outcomes[winner].code != 0 {
			t.Errorf("the nodes have %s; the loads of %v ended with %d (%s) and %d (%s)",
				has, ids, outcomes[0].code, outcomes[0].stderr, outcomes[1].code, outcomes[1].stderr)
		}
		for _, outcome := range outcomes {
			if outcome.code != 0 {
				wantRefused(t, outcome, 3, "at the same time; run again if yours is the right content")
			}
		}
	}
	for range 3 {
		want(u.together(loads...))
	}
	// One that is overtaken half-way.
	for _, node := range suite.nodes {
		overtaken, other := make([]outcome, 2), &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
		overtaken[0] = u.meanwhile("Images/Create", node, func() { overtaken[1] = other.e2eimage(loads[1]...) }, loads[0]...)
		want(overtaken)
	}
}

func TestCleanLeavesWhatIsYetToRun(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	tag := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
	image := u.must(tag...)
	const waits = `{apiVersion: v1, kind: Pod, metadata: {name: waits}, spec: {terminationGracePeriodSeconds: 0, volumes: [{name: late, configMap: {name: late}}],
  containers: [{name: app, image: "IMAGE", imagePullPolicy: Never, volumeMounts: [{name: late, mountPath: /late}]}]}}`
	const sweeps = `{apiVersion: batch/v1, kind: CronJob, metadata: {name: sweeps}, spec: {schedule: "0 0 1 1 *", jobTemplate: {spec: {template: {spec: {restartPolicy: Never,
  containers: [{name: app, image: "IMAGE", imagePullPolicy: Never}]}}}}}}`
	for _, use := range [][3]string{
		{waits, "pod/waits", "pod/waits in namespace"},
		{sweeps, "cronjob/sweeps", "cronjob.batch/sweeps (scheduled)"},
		{workload("Deployment", "idle", "IMAGE", 0), "deployment/idle", "deployment.apps/idle (0 replicas)"},
	} {
		u.apply(strings.ReplaceAll(use[0], "IMAGE", image))
		u.refused(3, []string{image + " is left: in use by " + use[2], "--force"}, "clean", "datastorage")
		if use[1] != "deployment/idle" {
			u.kubectl("delete", use[1], "--wait")
		}
	}
	// What keepPrevious lets go of is looked at in the same way.
	for range 4 {
		u.must(append(tag, "--new")...)
	}
	for node, has := range imagesOn(t) {
		// What is recorded, the two before, and what is in use.
		if got := has.with("localhost/datastorage:" + u.namespace + "-"); has[image] == "" || len(got) != 4 {
			t.Errorf("node %s has %v", node, got)
		}
	}
	u.must("clean", "datastorage", "--keep", "0")
	u.kubectl("scale", "deployment/idle", "--replicas=1")
	u.kubectl("rollout", "status", "deployment/idle", "--timeout", "60s")
	u.kubectl("delete", "deployment/idle")
	u.must("clean", "datastorage", "--force")
	u.nothingLeft("localhost/datastorage:" + u.namespace + "-")
}

func TestTagsOfANamespaceThatIsGoneAreCleanedAtOnce(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source, gone := "localhost/"+u.namespace+":dev", u.namespace+"-gone"
	u.image(source)
	u.deletedAfterwards("namespace", gone)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace, "-n", gone, "--create-namespace")
	u.kubectl("delete", "namespace", gone)
	if got := u.must("clean", "datastorage", "-n", gone); got != image+" removed" {
		t.Errorf("clean printed %q", got)
	}
	u.nothingLeft(image)
}

func TestWhatAKilledLoadLeftIsFound(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	first := u.must("build")
	u.interrupted(syscall.SIGKILL, step{call: "Images/Create", after: true}, "load")
	if len(imagesOn(t)[suite.nodes[0]].with(first)) == 0 {
		t.Fatal("the killed load left nothing")
	}
	// Another folder has no lock that tells it is about to be tagged.
	other := &user{t: t, namespace: u.namespace, dir: tempDir(t), env: u.env}
	status := other.must("status", "-o", "wide")
	if !strings.Contains(status, first) || !strings.Contains(status, "Orphaned") {
		t.Errorf("status: %s", status)
	}
	u.write("code/build", "second of "+u.namespace)
	second := u.must("build")
	u.must("load")
	u.must("tag")
	for node, has := range imagesOn(t) {
		if got := has.with("localhost/datastorage:" + u.namespace + "-"); !slices.Equal(got, []string{second}) {
			t.Errorf("node %s has %v, want %s", node, got, second)
		}
	}
	u.kubectl("delete", "configmap", "e2eimage-"+u.namespace)
	other.must("clean", "datastorage")
	u.nothingLeft("localhost/datastorage:" + u.namespace + "-")
}

func TestLoadDoesNotTakeANameThatNodesLost(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.image("localhost/" + u.namespace + "-other:dev")
	image := u.must("tag", "datastorage", "--source", "localhost/"+u.namespace+"-other:dev", "--tag", u.namespace+"-exact", "--consumer", "another")
	onNodes(t, "ctr", "-n", "k8s.io", "images", "rm", image)
	u.must("build", "datastorage", "--tag", u.namespace+"-exact")
	u.refused(3, []string{image + " is recorded, or about to be, for datastorage of consumer another", "choose another --tag"}, "load")
	u.nothingLeftOf(image)
}

func TestACommandThatIsSaidToMendDoesWhileAPodRuns(t *testing.T) {
	t.Parallel()
	u := builder(t, "")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	image := u.must("up")
	id := imagesOn(t)[suite.nodes[0]][image]
	foreign := "localhost/" + u.namespace + "-foreign:1"
	u.image(foreign)
	astray := []string{"ctr", "-n", "k8s.io", "images", "tag", "--force", foreign, image}
	// One node is healed, since the others say what is right.
	onNode(t, suite.nodes[1], astray...)
	u.must("deploy", "datastorage")
	wantEverywhere(t, image, id)
	owned(t, image, u.namespace+"."+u.namespace+".datastorage")
	onNodes(t, astray...)
	refused := u.refused(3, []string{"instead of the recorded"}, "deploy", "datastorage")
	u.typing(refused.stderr)
	u.must("deploy", "datastorage")
	wantEverywhere(t, image, id)
	u.kubectl("annotate", "configmap", "e2eimage-"+u.namespace, "--overwrite", "image.e2eimage.dev/datastorage=localhost/evil:1")
	refused = u.refused(3, []string{"changed by hand"}, "ref", "datastorage", "--from", "cluster")
	u.typing(refused.stderr)
	u.must("deploy", "datastorage")
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"first of " + u.namespace}) {
		t.Errorf("pods say %v", got)
	}
	if u.lock(u.namespace)["datastorage"].Image != u.must("ref", "datastorage") {
		t.Error("the lock is gone")
	}
}
