package e2e

import (
	"context"
	"strings"
	"testing"
)

func TestARecordThatIsNotThereIsSaidWithThoseThatAre(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "first")
	u.must("tag", "datastorage", "--source", source, "--consumer", "second")
	u.must("tag", "gateway", "--source", source, "--consumer", "second")
	for name, test := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"nobody has it":             {[]string{"ref", "storage"}, 1, []string{"no record of storage in namespace", "datastorage for consumer first", "datastorage, gateway for consumer second", "kubectl e2eimage tag storage"}},
		"another consumer has it":   {[]string{"ref", "gateway", "--consumer", "first"}, 1, []string{`no record of gateway`, `for consumer "first"`, "gateway for consumer second"}},
		"two consumers have it":     {[]string{"ref", "datastorage"}, 2, []string{"several consumers", "first, second", "--consumer"}},
		"two have it, deploy":       {[]string{"deploy", "datastorage"}, 2, []string{"first, second", "--consumer"}},
		"two have it, clean":        {[]string{"clean", "datastorage"}, 2, []string{"first, second", "--consumer"}},
		"the namespace has nothing": {[]string{"ref", "datastorage", "--namespace", "default"}, 1, []string{`no record of datastorage in namespace "default"`, "-n"}},
	} {
		t.Run(name, func(t *testing.T) {
			u := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
			result := u.refused(test.code, test.says, test.args...)
			if result.stdout != "" {
				t.Errorf("stdout has %q", result.stdout)
			}
		})
	}
	if got := u.must("ref", "gateway"); !strings.HasPrefix(got, "localhost/gateway:second-") {
		t.Errorf("the only consumer that has it: %q", got)
	}
}

// rewrite changes the evidence of datastorage in place.
func (u *user) rewrite(old, changed string) {
	u.t.Helper()
	name := "e2eimage-" + u.namespace
	text := u.kubectl("get", "configmap", name, "-o", "yaml")
	if !strings.Contains(text, old) {
		u.t.Fatalf("no %q in:\n%s", old, text)
	}
	text = strings.Replace(text, old, changed, 1)
	u.write("configmap.yaml", text)
	u.kubectl("replace", "-f", u.dir+"/configmap.yaml")
}

func TestEvidenceThatCannotBeBelieved(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		old, changed string
		code         int
		says         []string
	}{
		"a newer version wrote it": {"apiVersion: e2eimage.dev/v1alpha1", "apiVersion: e2eimage.dev/v9", 3, []string{"e2eimage.dev/v9", "newer kubectl-e2eimage"}},
		"its image was changed":    {"    image: localhost/datastorage:", "    image: localhost/evil:", 3, []string{"changed by hand", "localhost/evil:", "kubectl e2eimage clean"}},
		"its state was changed":    {"state: Ready", "state: Pending", 3, []string{"changed by hand"}},
		"it is no YAML":            {"    kind: Evidence", "    kind: {", 3, []string{"the record of datastorage cannot be read", "kubectl e2eimage clean datastorage", "--scope=cluster"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			source := "localhost/" + u.namespace + ":dev"
			u.image(source)
			u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
			u.apply(workload("Deployment", "datastorage", source, 0))
			u.rewrite(test.old, test.changed)
			for _, args := range [][]string{
				{"ref", "datastorage"},
				{"deploy", "datastorage"},
				{"tag", "datastorage", "--source", source, "--consumer", u.namespace},
			} {
				if result := u.refused(test.code, test.says, args...); result.stdout != "" {
					t.Errorf("%v printed %q", args, result.stdout)
				}
			}
			if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != source {
				t.Errorf("it was deployed all the same: %s", got)
			}
		})
	}
}

func TestARecordThatDoesNotFitAnyMore(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	evidence := u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", "jsonpath={.data.datastorage}")
	u.write("patch.json", `{"data":{"filler":"`+strings.Repeat("x", 1<<20-len(evidence)-100)+`"}}`)
	u.kubectl("patch", "configmap", "e2eimage-"+u.namespace, "--patch-file", u.dir+"/patch.json")
	u.refused(1, []string{"ConfigMap " + u.namespace + "/e2eimage-" + u.namespace, "1 MiB", "kubectl e2eimage clean"},
		"tag", "gateway", "--source", source, "--consumer", u.namespace)
	u.nothingLeftOf("localhost/gateway:")
	if got := u.must("ref", "datastorage"); got != image {
		t.Errorf("the other record says %q, want %s", got, image)
	}
}

// nothingLeftOf wants no name of this user's with part on any node.
func (u *user) nothingLeftOf(part string) {
	u.t.Helper()
	for node, has := range imagesOn(u.t) {
		for _, name := range has.with(part) {
			if strings.Contains(name, u.namespace) {
				u.t.Errorf("left on node %s: %s", node, name)
			}
		}
	}
}

func TestNamespacesThatCannotHoldARecord(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	tag := []string{"tag", "datastorage", "--source", source, "--consumer", u.namespace}
	missing := &user{t: t, namespace: u.namespace + "-missing", dir: u.dir, env: u.env}
	missing.refused(1, []string{`namespace "` + missing.namespace + `" does not exist`, "kubectl create namespace", "--create-namespace"}, tag...)
	missing.must(append(tag, "--create-namespace")...)
	// A finalizer keeps it in its last hour.
	missing.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: stays, finalizers: [example.com/stays]}}")
	u.kubectl("delete", "namespace", missing.namespace, "--wait=false")
	t.Cleanup(func() {
		missing.try(context.WithoutCancel(t.Context()), "kubectl", "--namespace", missing.namespace,
			"patch", "configmap", "stays", "--type=merge", "-p", `{"metadata":{"finalizers":null}}`)
	})
	u.must(tag...)
	waitFor(t, "the record is deleted with its namespace", func() bool {
		return missing.kubectl("get", "configmaps", "-l", "e2eimage.dev/consumer", "-o", "name") == ""
	})
	missing.refused(1, []string{`namespace "` + missing.namespace + `" is being deleted`}, append(tag, "--new")...)
	for node, owned := range onNodes(t, "ctr", "-n", "k8s.io", "images", "ls", "-q", `labels."e2eimage.dev/owner"==`+missing.namespace+"."+u.namespace+".datastorage") {
		// What went with the namespace's record is for clean --orphans.
		if len(strings.Fields(owned)) > 1 {
			t.Errorf("node %s has %s", node, owned)
		}
	}
}
