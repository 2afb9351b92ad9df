package e2e

import (
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// helm is built once, when the first test needs it: that takes a while.
var helm = sync.OnceValues(func() (string, error) {
	path := filepath.Join(suite.bin, "helm")
	build := exec.Command("go", "build", "-o", path, "helm.sh/helm/v4/cmd/helm")
	build.Dir = "../helm"
	out, err := build.CombinedOutput()
	if err != nil {
		return string(out), err
	}
	return path, nil
})

// helm runs Helm in the user's folder.
func (u *user) helm(args ...string) outcome {
	u.t.Helper()
	path, err := helm()
	if err != nil {
		u.t.Fatalf("%v: %s", err, path)
	}
	command := exec.CommandContext(u.t.Context(), path, append([]string{"--namespace", u.namespace}, args...)...)
	command.Dir = u.dir
	command.Env = append(slices.Clone(u.env), "HELM_DATA_HOME="+u.dir+"/helm", "HELM_CACHE_HOME="+u.dir+"/helm", "HELM_CONFIG_HOME="+u.dir+"/helm")
	return u.finish(command, nil)
}

// chart writes a chart of two services that share one tag, and a suite that builds
// them.
func (u *user) chart() {
	u.t.Helper()
	u.code("code")
	u.code("gate")
	u.wipeHost()
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nnamespace: "+u.namespace+"\ntagGroup: chart\nengine: "+suite.provider+"\nimages:\n"+
		"- {name: datastorage, source: '"+u.source()+"', build: {context: code}}\n"+
		"- {name: gateway, source: 'localhost/"+u.namespace+"-gate:dev', build: {context: gate}}\n"+
		"helm: {global.image.tag: '{{.Tag}}'}\n")
	u.write("chart/Chart.yaml", "apiVersion: v2\nname: services\nversion: 0.1.0\n")
	u.write("chart/values.yaml", "global: {image: {tag: none}}\n")
	for _, name := range []string{"datastorage", "gateway"} {
		u.write("chart/templates/"+name+".yaml", strings.ReplaceAll(workload("Deployment", "datastorage", "localhost/datastorage:{{ .Values.global.image.tag }}", 1), "datastorage", name))
	}
}

func TestChartsGetTheirTagBeforeTheInstall(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.chart()
	u.must("build")
	u.must("load")
	image := strings.Fields(u.must("tag"))[0]
	args := strings.Fields(u.must("ref", "-o", "helm"))
	if result := u.helm(append([]string{"install", "services", "chart", "--wait", "--timeout", "2m"}, args...)...); result.code != 0 {
		t.Fatalf("exit %d: %s", result.code, result.stderr)
	}
	for _, name := range []string{"datastorage", "gateway"} {
		if got := u.answers(name); !slices.Equal(got, []string{"first of " + u.namespace}) {
			t.Errorf("pods of %s say %v", name, got)
		}
	}
	// Installed right, it is not restarted.
	generation := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}")
	if got := u.must("deploy"); strings.Count(got, "unchanged") != 2 {
		t.Errorf("deploy of %s says %s", image, got)
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}"); got != generation {
		t.Errorf("the generation was %s and is %s", generation, got)
	}
}

func TestRenderIsAFilterAndAPostRendererOfHelm(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.chart()
	u.must("build")
	u.must("load")
	u.must("tag")
	lock := u.lock(u.namespace)
	template := u.helm("template", "services", "chart")
	u.write("rendered.yaml", template.stdout)
	rendered := u.must("render", "-f", "rendered.yaml")
	for name, entry := range lock {
		if strings.Contains(rendered, "localhost/"+name+":none") || !strings.Contains(rendered, "image: "+entry.Image+"\n") {
			t.Errorf("%s is not rendered:\n%s", name, rendered)
		}
	}
	u.write("plugin/plugin.yaml", readAll(t, "../../plugins/helm/plugin.yaml"))
	if result := u.helm("plugin", "install", "plugin"); result.code != 0 {
		t.Fatalf("exit %d: %s", result.code, result.stderr)
	}
	if result := u.helm("install", "services", "chart", "--post-renderer", "e2eimage", "--wait", "--timeout", "2m"); result.code != 0 {
		t.Fatalf("exit %d: %s", result.code, result.stderr)
	}
	// New content under the same tag rolls out with an upgrade.
	u.write("code/build", "second of "+u.namespace)
	u.must("build")
	u.must("load")
	u.must("tag")
	if result := u.helm("upgrade", "services", "chart", "--post-renderer", "e2eimage", "--wait", "--timeout", "2m"); result.code != 0 {
		t.Fatalf("exit %d: %s", result.code, result.stderr)
	}
	waitFor(t, "the pod is of the second build", func() bool {
		return slices.Equal(u.answers("datastorage"), []string{"second of " + u.namespace})
	})
	u.write("broken.yaml", "a: 1\n---\nimage: e2eimage://nothing\n")
	u.refused(1, []string{"broken.yaml:3: e2eimage://nothing: no image of that name is recorded"}, "render", "-f", "broken.yaml")
}

func TestKustomizeTakesTheImagesOfRef(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.write("base/deployment.yaml", workload("Deployment", "datastorage", "localhost/datastorage:dev", 1))
	u.write("base/kustomization.yaml", "resources: [deployment.yaml]\n"+u.must("ref", "datastorage", "-o", "kustomize")+"\n")
	if got := u.kubectl("kustomize", "base"); !strings.Contains(got, "image: "+image) {
		t.Errorf("kustomize says\n%s", got)
	}
	u.write("base/kustomization.yaml", "resources: [deployment.yaml]\n")
	u.write("built.yaml", u.kubectl("kustomize", "base"))
	u.apply(u.must("render", "datastorage", "-f", "built.yaml"))
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("applied is %s", got)
	}
}
