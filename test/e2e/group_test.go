package e2e

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestImagesOfAGroupShareATagThatMovesWithThem(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.code("code")
	u.code("gate")
	u.wipeHost()
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\ntagGroup: chart\nengine: "+suite.provider+"\nimages:\n"+
		fmt.Sprintf("- {name: datastorage, source: '%s', build: {context: code}}\n", u.source())+
		fmt.Sprintf("- {name: gateway, source: '%s', build: {context: gate}}\n", "localhost/"+u.namespace+"-gate:dev")+
		"helm: {global.image.tag: '{{.Tag}}'}\n")
	for _, name := range []string{"datastorage", "gateway"} {
		u.apply(strings.ReplaceAll(workload("Deployment", name, "localhost/none:none", 1), "datastorage", name))
	}
	tags := func(printed string) []string {
		var all []string
		for _, image := range strings.Fields(printed) {
			all = append(all, image[strings.LastIndex(image, ":")+1:])
		}
		return all
	}
	first := tags(u.must("up"))
	if len(first) != 2 || first[0] != first[1] || !strings.HasPrefix(first[0], u.namespace+"-") {
		t.Fatalf("the tags are %v", first)
	}
	if got, want := u.must("ref", "-o", "helm"), "--set-string global.image.tag="+first[0]; !strings.Contains(got, first[0]) {
		t.Errorf("for Helm it is %s, want %s", got, want)
	}
	before := u.lock(u.namespace)
	u.write("code/build", "second of "+u.namespace)
	if second := tags(u.must("up")); !slices.Equal(second, first) {
		t.Errorf("after a change the tags are %v, before %v", second, first)
	}
	after := u.lock(u.namespace)
	if after["datastorage"].ImageID == before["datastorage"].ImageID || after["gateway"].ImageID != before["gateway"].ImageID {
		t.Errorf("the lock was %+v and is %+v", before, after)
	}
	for _, name := range []string{"datastorage", "gateway"} {
		wantEverywhere(t, after[name].Image, after[name].ImageID)
	}
	if got := u.answers("datastorage"); !slices.Equal(got, []string{"second of " + u.namespace}) {
		t.Errorf("pods say %v", got)
	}
	for node, has := range imagesOn(t) {
		if next := has.with(":e2eimage-next-"); len(slices.DeleteFunc(next, func(name string) bool { return !strings.Contains(name, "datastorage") })) > 0 {
			t.Errorf("node %s has %v", node, next)
		}
	}
	if third := tags(u.must("build", "--new")); slices.Equal(third, first) || third[0] != third[1] {
		t.Errorf("new tags are %v", third)
	}
	u.must("clean", "--force")
	u.nothingLeft("localhost/datastorage:" + u.namespace)
	u.nothingLeft("localhost/gateway:" + u.namespace)
}
