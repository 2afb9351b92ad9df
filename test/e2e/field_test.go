package e2e

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf16"
)

// chartOf writes a chart that prints its values.
func (u *user) chartOf() {
	u.t.Helper()
	u.write("chart/Chart.yaml", "apiVersion: v2\nname: values\nversion: 0.1.0\n")
	u.write("chart/templates/values.yaml", "values: {{ toJson .Values }}\n")
}

func TestTheArgumentsForHelmNeedNoQuotes(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.chartOf()
	u.write("e2eimage.yaml", configHead+"consumer: suite\nimages:\n- {name: datastorage, source: '"+source+"', repository: 'localhost/"+u.namespace+"-tagged'}\n- {name: datastorage-worker, source: '"+source+"'}\n"+
		`helm: {'datastorage[0].image': '{{.Image}}', 'datastorage-worker.image': '{{.Image}}', 'datastorage[0].name\.of': 'for {{.Consumer}}, "$HOME" * it''s', datastorage-worker.registry: "", datastorage-worker.debug: false}`+"\n")
	images := strings.Fields(u.must("tag", "--tag", "0123", "datastorage") + "\n" + u.must("tag", "datastorage-worker"))
	path, err := helm()
	if err != nil {
		t.Fatalf("%v: %s", err, path)
	}
	shell := `args=$(kubectl e2eimage ref $1 -n ` + u.namespace + ` -o helm) && ` + path + ` template x chart $args`
	for names, want := range map[string]string{
		"":                   `values: {"datastorage":[{"image":"` + images[0] + `","name.of":"for suite, \"$HOME\" * it's"}],"datastorage-worker":{"debug":false,"image":"` + images[1] + `","registry":""}}`,
		"datastorage":        `values: {"datastorage":[{"image":"` + images[0] + `","name.of":"for suite, \"$HOME\" * it's"}]}`,
		"datastorage-worker": `values: {"datastorage-worker":{"debug":false,"image":"` + images[1] + `","registry":""}}`,
	} {
		result := u.try(t.Context(), "sh", "-c", shell, "sh", names)
		if result.code != 0 || !strings.Contains(result.stdout, want+"\n") {
			t.Errorf("%q: exit %d: %s%s\nwant %s", names, result.code, result.stdout, result.stderr, want)
		}
	}
	// Both have one source, and Kustomize looks at no tag.
	u.refused(3, []string{"Kustomize cannot tell them apart"}, "ref", "-o", "kustomize")
}

func TestHelmsHooksOfOtherTimesAreNotDeployed(t *testing.T) {
	t.Parallel()
	u, _, id := tagged(t)
	hook := func(kind, name, when, spec string) string {
		return "---\napiVersion: " + map[string]string{"Pod": "v1", "Job": "batch/v1"}[kind] + "\nkind: " + kind + "\nmetadata:\n  name: " + name + "\n  annotations: {\"helm.sh/hook\": \"" + when + "\"}\nspec: " + spec + "\n"
	}
	const fails = "{restartPolicy: Never, containers: [{name: a, image: 'e2eimage://datastorage', command: [/not-there]}]}"
	u.write("rendered.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 1)+
		hook("Pod", "shop-test", "test", fails)+hook("Job", "shop-cleanup", "pre-delete", "{backoffLimit: 0, template: {spec: "+fails+"}}")+
		"---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: shop-first, annotations: {\"helm.sh/hook\": \"pre-install,pre-upgrade\"}}\n")
	result := u.e2eimage("deploy", "datastorage", "-f", "rendered.yaml")
	const left = "these Helm hooks do not run on install: pod/shop-test (test), job.batch/shop-cleanup (pre-delete)"
	if result.code != 0 || strings.Count(result.stderr, left) != 1 || strings.Contains(result.stdout, "shop-test") || strings.Contains(result.stdout, "shop-cleanup") {
		t.Errorf("exit %d: %s%s", result.code, result.stdout, result.stderr)
	}
	if got := u.kubectl("get", "jobs,pods", "-o", "name"); strings.Contains(got, "shop-") {
		t.Errorf("there is %s", got)
	}
	u.kubectl("get", "configmap", "shop-first")
	if got := u.runs(id); got != 1 {
		t.Errorf("%d run", got)
	}
}

func TestManifestsAreDeployedAsTheyAreFound(t *testing.T) {
	t.Parallel()
	u, image, id := tagged(t)
	text := strings.Replace(workload("Deployment", "datastorage", "localhost/"+u.namespace+":dev", 1), "imagePullPolicy: Never",
		"imagePullPolicy: Never\n        env: [{name: WORKER_IMAGES, value: 'a=e2eimage://datastorage,b=e2eimage://datastorage'}]", 1)
	// As PowerShell's > writes it.
	var written []byte
	for _, unit := range utf16.Encode([]rune("\ufeff" + strings.ReplaceAll(text, "\n", "\r\n"))) {
		written = binary.LittleEndian.AppendUint16(written, unit)
	}
	u.write("releases/1/operator.yaml", string(written))
	if err := os.Symlink("releases/1", filepath.Join(u.dir, "current")); err != nil {
		t.Fatal(err)
	}
	u.must("deploy", "datastorage", "-f", "current")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].env[0].value}"); got != "a="+image+",b="+image {
		t.Errorf("the environment has %s", got)
	}
	if got := u.runs(id); got != 1 {
		t.Errorf("%d run", got)
	}
	if got := u.must("deploy", "datastorage", "-f", "releases/*/*.yaml"); got != "deployment.apps/datastorage unchanged" {
		t.Errorf("again it says %s", got)
	}
	u.write("typo.yaml", strings.Replace(text, "b=e2eimage://datastorage", "b=e2eimage://datastorrage", 1))
	u.refused(1, []string{"typo.yaml:", "e2eimage://datastorrage: no image of that name is recorded"}, "deploy", "datastorage", "-f", "typo.yaml")
}

func TestAnImageIsLoadedUnderNoDigest(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	image := u.service("localhost/" + u.namespace + ":dev")
	id, err := image.ImageID()
	if err != nil {
		t.Fatal(err)
	}
	pinned := image.Reference + "@sha256:" + strings.Repeat("0a", 32)
	for _, line := range [][]string{{"load", "pinned"}, {"tag", "pinned", "--consumer", "suite"}, {"up", "pinned", "--consumer", "suite"}} {
		u.refused(2, []string{"--source", "has a digest", "write " + image.Reference}, append(line, "--source", pinned)...)
	}
	u.write("e2eimage.yaml", configHead+"consumer: suite\nimages:\n- name: pinned\n  external: "+pinned+"\n")
	u.refused(2, []string{"e2eimage.yaml:6: images[0].external", "has a digest"}, "load")
	if err := os.Remove(filepath.Join(u.dir, "e2eimage.yaml")); err != nil {
		t.Fatal(err)
	}
	// What to write instead is what a pod that is never pulled finds.
	u.load("--source", "docker-archive:"+u.archive(image))
	u.kubectl("run", "pinned", "--image", image.Reference, "--image-pull-policy", "Never")
	waitFor(t, "the pod runs", func() bool {
		count, _ := u.running(id)
		return count == 1
	})
}
