package e2e

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// states are what status says of the user's images, by name.
func (u *user) states(args ...string) map[string]string {
	u.t.Helper()
	var result struct {
		Images []struct {
			Name, State     string
			Running, Wanted int
		}
	}
	if err := json.Unmarshal([]byte(u.must(append([]string{"status", "-o", "json"}, args...)...)), &result); err != nil {
		u.t.Fatal(err)
	}
	states := map[string]string{}
	for _, image := range result.Images {
		states[image.Name] = image.State
		if image.State == "RollingOut" {
			states[image.Name] += fmt.Sprintf(" %d/%d", image.Running, image.Wanted)
		}
	}
	return states
}

func TestStatusAndVerifySayWhatDoesNotAgree(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", source, 2))
	u.must("deploy", "datastorage")
	if got := u.states(); got["datastorage"] != "Consistent" || len(got) != 1 {
		t.Errorf("it is %v", got)
	}
	if got := u.must("verify", "--timeout", "1m"); got != "" {
		t.Errorf("verify says %q", got)
	}
	table := u.must("status", "-o", "wide")
	for _, word := range []string{"NAME", "STATE", "READY", image, id[len("sha256:"):][:12], "2/2", "3/3", "deployment/datastorage 2/2", "Consistent"} {
		if !strings.Contains(table, word) {
			t.Errorf("the table lacks %q:\n%s", word, table)
		}
	}
	for _, step := range []struct {
		what, state string
		breaks      func()
		says        []string
		mends       func()
	}{
		{
			"a node lost it", "MissingOnNodes", func() {
				onNode(t, suite.nodes[2], "ctr", "-n", "k8s.io", "images", "rm", "--sync", image)
				waitFor(t, "the CRI forgets it", func() bool { return imagesOn(t)[suite.nodes[2]][image] == "" })
			},
			[]string{image + " is not on " + suite.nodes[2], "kubectl e2eimage deploy datastorage"},
			func() { u.must("deploy", "datastorage") },
		},
		{
			"a workload is to run something else", "Drifted", func() {
				u.kubectl("set", "image", "deployment/datastorage", "datastorage="+source)
			},
			[]string{"is to run " + source + " in container datastorage instead of " + image},
			func() { u.must("deploy", "datastorage") },
		},
		{
			"the record was changed by hand", "Tampered", func() {
				u.kubectl("annotate", "--overwrite", "configmap", "e2eimage-"+u.namespace, "image.e2eimage.dev/datastorage=localhost/x:y")
			},
			[]string{"changed by hand", "kubectl e2eimage clean datastorage"},
			func() {
				u.kubectl("annotate", "--overwrite", "configmap", "e2eimage-"+u.namespace, "image.e2eimage.dev/datastorage="+image)
			},
		},
	} {
		step.breaks()
		if got := u.states()["datastorage"]; got != step.state {
			t.Errorf("%s: it is %s, want %s", step.what, got, step.state)
		}
		result := u.e2eimage("verify")
		said := strings.Join(strings.Fields(result.stdout), " ")
		if result.code != 3 {
			t.Errorf("%s: verify ended with %d: %s", step.what, result.code, result.stderr)
		}
		for _, word := range step.says {
			if !strings.Contains(said, word) {
				t.Errorf("%s: verify does not say %q:\n%s", step.what, word, result.stdout)
			}
		}
		step.mends()
		if result := u.e2eimage("verify", "datastorage", "--wait"); result.code != 0 {
			t.Errorf("%s: mended, verify ended with %d: %s%s", step.what, result.code, result.stdout, result.stderr)
		}
	}
	// A tag whose record is gone.
	u.kubectl("delete", "configmap", "e2eimage-"+u.namespace)
	if got := u.states()["datastorage"]; got != "Orphaned" {
		t.Errorf("without a record it is %s", got)
	}
	u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace, "--tag", image[strings.LastIndex(image, ":")+1:])
}

func TestVerifyWaitsForWhatOthersDeployed(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	late := strings.Replace(workload("Deployment", "datastorage", image, 1), "periodSeconds: 1}", "periodSeconds: 1, initialDelaySeconds: 10}", 1)
	u.apply(late)
	if got := u.states()["datastorage"]; got != "RollingOut 0/1" {
		t.Errorf("at once it is %s", got)
	}
	if table := strings.Join(strings.Fields(u.must("status")), " "); !strings.Contains(table, "RollingOut 0/1") {
		t.Errorf("the table does not say how far it is:\n%s", table)
	}
	if result := u.e2eimage("verify", "datastorage"); result.code != 3 {
		t.Errorf("at once verify ends with %d", result.code)
	}
	u.must("verify", "datastorage", "--wait")
	if generation := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}"); generation != "1" {
		t.Errorf("verify changed it: generation %s", generation)
	}
	if result := u.e2eimage("verify", "--namespace", u.namespace+"-none"); result.code != 3 {
		t.Errorf("where nothing is recorded verify ends with %d", result.code)
	}
	// A rollout that cannot end, while the pod of before runs the same image.
	u.apply(strings.Replace(late, "imagePullPolicy: Never", "imagePullPolicy: Never\n        command: [/nope]", 1))
	waitFor(t, "the rollout is seen", func() bool { return u.states()["datastorage"] == "RollingOut 0/1" })
	hopeless := u.e2eimage("verify", "datastorage", "--wait")
	if hopeless.code == 0 || !strings.Contains(hopeless.stderr, "/nope") || hopeless.took > time.Minute {
		t.Errorf("a hopeless rollout: exit %d after %s: %s", hopeless.code, hopeless.took, hopeless.stderr)
	}
	u.apply(late)
	u.must("verify", "datastorage", "--wait")
	u.apply(workload("Deployment", "broken", "localhost/datastorage:"+u.namespace+"-none", 1))
	begun := time.Now()
	result := u.e2eimage("verify", "datastorage", "--wait")
	if result.code != 3 || !strings.Contains(result.stdout, "deployment.apps/broken is to run") || time.Since(begun) > soon {
		t.Errorf("a workload with another tag: exit %d: %s%s", result.code, result.stdout, result.stderr)
	}
	// It does not keep the others from being waited for.
	u.apply(strings.Replace(late, "imagePullPolicy: Never", "imagePullPolicy: Never\n        command: [/nope]", 1))
	if result := u.e2eimage("verify", "datastorage", "--wait"); !strings.Contains(result.stderr, "/nope") {
		t.Errorf("a hopeless rollout beside it: exit %d: %s%s", result.code, result.stdout, result.stderr)
	}
}

func TestARepositoryMayBeShared(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	recorded := map[string]string{}
	for _, name := range []string{"datastorage", "gateway"} {
		source := "localhost/" + name + "-" + u.namespace + ":dev"
		u.image(source)
		recorded[name] = u.must("tag", name, "--source", source, "--consumer", u.namespace, "--repository", "localhost/shared-"+u.namespace)
	}
	u.apply(workload("Deployment", "gateway", recorded["gateway"], 1))
	u.must("verify", "gateway", "--wait")
	u.refused(3, nil, "verify")
	u.kubectl("set", "image", "deployment/gateway", "gateway="+recorded["gateway"]+"-none")
	if states := u.states(); states["gateway"] != "Drifted" {
		t.Errorf("with another tag of the repository they are %v", states)
	}
}

func TestStatusTellsWhatThisHostHasNewer(t *testing.T) {
	t.Parallel()
	u := retagger(t)
	u.inEngine(u.service(u.source(), text("/version", "1"+u.namespace)))
	if got := u.states()["datastorage"]; got != "Unfinished" {
		t.Errorf("before all it is %s", got)
	}
	u.must("load")
	u.must("tag")
	if got := u.states()["datastorage"]; got != "Consistent" {
		t.Errorf("tagged it is %s", got)
	}
	u.inEngine(u.service(u.source(), text("/version", "2"+u.namespace)))
	if got := u.states()["datastorage"]; got != "Stale" {
		t.Errorf("rebuilt it is %s", got)
	}
	result := u.e2eimage("verify")
	if said := strings.Join(strings.Fields(result.stdout), " "); result.code != 3 || !strings.Contains(said, "mend it: kubectl e2eimage load datastorage") {
		t.Errorf("verify: exit %d: %s", result.code, result.stdout)
	}
}

func TestStatusSeesWorkloadsInOtherNamespaces(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	other := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	// One there runs the recorded tag; one only has the same source.
	other.apply(workload("Deployment", "theirs", source, 1))
	other.apply(workload("Deployment", "ours", source, 1))
	u.must("deploy", "datastorage", "--workload", other.namespace+"/deployment/ours")
	got := u.must("status", "--consumer", "suite", "-o", "wide")
	if !strings.Contains(got, other.namespace+"/deployment/ours 1/1") || strings.Contains(got, "theirs") || !strings.Contains(got, "Consistent") {
		t.Errorf("it says\n%s", got)
	}
	// What is recorded next is not what that one runs.
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	result := u.e2eimage("verify", "--consumer", "suite")
	for _, words := range []string{"Drifted: " + other.namespace + "/deployment/ours is to run", "--workload " + other.namespace + "/deployment/ours"} {
		if result.code != 3 || !strings.Contains(result.stdout, words) {
			t.Errorf("exit %d, and it does not say %q:\n%s%s", result.code, words, result.stdout, result.stderr)
		}
	}
}
