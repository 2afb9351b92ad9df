package e2e

import (
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
)

// together runs command lines at once and returns how each ended.
func (u *user) together(lines ...[]string) []outcome {
	u.t.Helper()
	outcomes := make([]outcome, len(lines))
	var all sync.WaitGroup
	for i, line := range lines {
		all.Go(func() { outcomes[i] = u.finish(u.plugin(line...), nil) })
	}
	all.Wait()
	return outcomes
}

func TestEightRunsAtOnceAgreeOnOneTag(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	var lines [][]string
	for range 8 {
		lines = append(lines, []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace})
	}
	printed := map[string]bool{}
	for _, result := range u.together(lines...) {
		if result.code != 0 {
			t.Errorf("exit %d: %s", result.code, result.stderr)
		}
		printed[strings.TrimSpace(result.stdout)] = true
	}
	image := u.must("ref", "datastorage")
	if len(printed) != 1 || !printed[image] {
		t.Errorf("printed %v, recorded is %s", printed, image)
	}
	for node, has := range imagesOn(t) {
		if got := has.with("localhost/datastorage:" + u.namespace); !slices.Equal(got, []string{image}) || has[image] != id {
			t.Errorf("node %s has %v", node, got)
		}
	}
}

func TestSixteenConsumersAtOnceHaveSixteenTags(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	var lines [][]string
	for i := range 16 {
		lines = append(lines, []string{"tag", "datastorage", "--source", source, "--consumer", fmt.Sprintf("%s-%d", u.namespace, i)})
	}
	printed := map[string]bool{}
	for _, result := range u.together(lines...) {
		if result.code != 0 {
			t.Errorf("exit %d: %s", result.code, result.stderr)
		}
		printed[strings.TrimSpace(result.stdout)] = true
	}
	if len(printed) != 16 {
		t.Errorf("printed %v", printed)
	}
	for node, has := range imagesOn(t) {
		for image := range printed {
			if has[image] != id {
				t.Errorf("node %s has %q as %s", node, has[image], image)
			}
		}
		if got := has.with("localhost/datastorage:" + u.namespace); len(got) != 16 {
			t.Errorf("node %s has %v", node, got)
		}
	}
}

func TestAChangeThatSomebodyMakesMeanwhileIsKept(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	env, edited := u.env, false
	u.faultyAPI(func(request string) error {
		if request == "PATCH deployments" && !edited {
			edited = true
			them := &user{t: t, namespace: u.namespace, dir: u.dir, env: env}
			them.kubectl("set", "env", "deployment/datastorage", "THEIRS=kept")
		}
		return nil
	}, func(string) {})
	u.must("deploy", "datastorage")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].env[0].value} {.spec.template.spec.containers[0].image}"); !edited || got != "kept "+image {
		t.Errorf("edited %v, the Deployment has %q", edited, got)
	}
}

func TestTwoDeploysOfOneWorkloadBothSucceed(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 2))
	for _, result := range u.together([]string{"deploy", "datastorage"}, []string{"deploy", "datastorage"}) {
		if result.code != 0 {
			t.Errorf("exit %d: %s", result.code, result.stderr)
		}
	}
	if got := u.runs(id); got < 2 {
		t.Errorf("%d containers run", got)
	}
}

func TestANewTagThatRacesADeploy(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	tag := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
	u.must(tag...)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	for _, result := range u.together(append(tag, "--new"), []string{"deploy", "datastorage"}, []string{"deploy", "datastorage"}, append(tag, "--new")) {
		if result.code != 0 && result.code != 3 {
			t.Errorf("exit %d: %s", result.code, result.stderr)
		}
	}
	if !u.consistent("datastorage", id) {
		t.Error("nothing is recorded")
	}
	u.must("deploy", "datastorage")
	if got, want := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"), u.must("ref", "datastorage"); got != want || u.runs(id) == 0 {
		t.Errorf("it has %s, want %s", got, want)
	}
}

func TestTwoConsumersThatClaimOneDeployment(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "first")
	u.must("tag", "datastorage", "--source", source, "--consumer", "second")
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	outcomes := u.together([]string{"deploy", "datastorage", "--consumer", "first"}, []string{"deploy", "datastorage", "--consumer", "second"})
	codes := []int{outcomes[0].code, outcomes[1].code}
	slices.Sort(codes)
	if !slices.Equal(codes, []int{0, 3}) {
		t.Errorf("exit %v: %s%s", codes, outcomes[0].stderr, outcomes[1].stderr)
	}
	winner := u.kubectl("get", "deployment", "datastorage", "-o", `jsonpath={.metadata.annotations.e2eimage\.dev/consumer}`)
	image := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}")
	if !strings.HasPrefix(image, "localhost/datastorage:"+winner+"-") {
		t.Errorf("the mark says %s, the image is %s", winner, image)
	}
}
