package cli

import (
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

const threeImagesFile = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nconsumer: suite\nimages:\n- {name: app, source: 'localhost/app:dev'}\n- {name: app-worker, source: 'localhost/app-worker:dev'}\n- {name: db, external: 'docker.io/library/postgres:16'}\n"

func recordedApp(names ...string) *e2eimage.Images {
	result := &e2eimage.Images{Consumer: "suite"}
	for _, name := range names {
		result.Images = append(result.Images, refOf(name, "localhost/"+name, "suite-1", imageID, "localhost/"+name+":dev"))
	}
	return result
}

func TestHelmGetsWhatTheRecordSaysAndNothingElse(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		helm, line string
		read       *e2eimage.Images
		want       string // of stdout, or of stderr behind an exit code
		code       int
	}{
		"a key of another image is left out": {
			"app.image: '{{.Image}}', app-worker.image: '{{.Image}}'", "ref app -o helm", recordedApp("app"), "--set-string app.image=localhost/app:suite-1\n", 0,
		},
		"an index of a list has no quotes": {
			"'app[0].image': '{{.Image}}', 'sidecars[0].image': '{{if eq .Name \"app\"}}{{.Image}}{{else}}{{.Image}}{{end}}'", "ref app -o helm", recordedApp("app"), "helm key sidecars[0].image needs every image of the suite, also app-worker", exitUsage,
		},
		"an index by name": {
			"'app[0].image': '{{.Image}}', 'app-worker[1].image': '{{.Image}}', 'a\\.b/c': '{{.Consumer}}'", "ref -o helm", recordedApp("app", "app-worker"),
			`--set-string a\.b/c=suite --set-string app-worker[1].image=localhost/app-worker:suite-1 --set-string app[0].image=localhost/app:suite-1` + "\n", 0,
		},
		"a value with blanks is one word": {
			`app.image: '{{.Image}}', app.note: 'for {{.Consumer}}, "quoted" $HOME * ä 😀'`, "ref app -o helm", recordedApp("app"),
			`--set-string app.image=localhost/app:suite-1 --set-json app.note="for\u0020suite\u002c\u0020\u0022quoted\u0022\u0020\u0024HOME\u0020\u002a\u0020\u00e4\u0020\ud83d\ude00"` + "\n", 0,
		},
		"a tag of digits is text": {"app.image: '{{.Image}}', app.tag: '0123', a.port: 8080", "ref app -o helm", recordedApp("app"), "--set-string a.port=8080 --set-string app.image=localhost/app:suite-1 --set-string app.tag=0123\n", 0},
		"constants stand beside what is of the image": {
			"global.image.registry: '', app.image.registry: \"\", app.image.tag: '{{.Tag}}', app.image.pullPolicy: Never", "ref app -o helm", recordedApp("app"),
			"--set-string app.image.pullPolicy=Never --set-string app.image.registry= --set-string app.image.tag=suite-1 --set-string global.image.registry=\n", 0,
		},
		"a constant of an external image": {
			"app.image: '{{.Image}}', db.image.pullPolicy: IfNotPresent", "ref app -o helm", recordedApp("app"),
			"--set-string app.image=localhost/app:suite-1 --set-string db.image.pullPolicy=IfNotPresent\n", 0,
		},
		"true and false are no text": {
			"app.image: '{{.Image}}', app.metrics: false, app.debug: True, app.note: falsehood", "ref app -o helm", recordedApp("app"),
			"--set app.debug=true --set-string app.image=localhost/app:suite-1 --set app.metrics=false --set-string app.note=falsehood\n", 0,
		},
		"constants alone leave the image to the chart": {
			"global.image.registry: '', app.image.pullPolicy: Never", "ref -o helm", recordedApp("app", "app-worker"), "helm: block in e2eimage.yaml has no key for app, so Helm would install another image", exitUsage,
		},
		"a key for all images wants all of them": {
			"global.tag: '{{.Tag}}'", "ref app -o helm", recordedApp("app"), "helm key global.tag needs every image of the suite, also app-worker; run: kubectl e2eimage ref -o helm", exitUsage,
		},
		"and says so for the same suite": {
			"global.tag: '{{.Tag}}'", "ref app -o helm -n tests --context kind-dev", recordedApp("app"),
			"run: kubectl e2eimage ref -n tests --context kind-dev -o helm", exitUsage,
		},
		"a key that says nothing of images": {"app.image: '{{.Image}}', consumer: '{{.Consumer}}'", "ref app -o helm", recordedApp("app"), "--set-string app.image=localhost/app:suite-1 --set-string consumer=suite\n", 0},
		"a tag that all share":              {"global.tag: '{{.Tag}}'}\ntagGroup: chart\n#", "ref app -o helm", recordedApp("app"), "--set-string global.tag=suite-1\n", 0},
		"an image that keeps its own name":  {"db.image: '{{.Image}}'", "ref -o helm", recordedApp("app", "app-worker"), "helm key db.image is for db, an external image, which has no record; write docker.io/library/postgres:16 into the chart's values", exitUsage},
		"an image without a key":            {"app-worker.image: '{{.Image}}'", "ref app -o helm", recordedApp("app"), "the suite's helm: block in e2eimage.yaml has no key for app, so Helm would install another image", exitUsage},
		"a key that a shell would expand":   {"'app.*': '{{.Image}}'", "ref app -o helm", recordedApp("app"), "is no key of a chart value", exitUsage},
		"a key that is two":                 {`'app.a\,b': '{{.Image}}'`, "ref app -o helm", recordedApp("app"), "is no key of a chart value", exitUsage},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.read = test.read
			c.config(threeImagesFile + "helm: {" + test.helm + "}\n")
			code := c.run(test.line)
			if got := c.out.String(); code != test.code || code == 0 && got != test.want || code != 0 && (got != "" || !strings.Contains(c.errOut.String(), test.want)) {
				t.Errorf("exit %d, stdout %s\nstderr %s\nwant %s", code, got, c.errOut.String(), test.want)
			}
			// As $args: no shell may have anything to do.
			if strings.ContainsAny(c.out.String(), "'*?$`;|&<>()") {
				t.Errorf("a shell would read %s", c.out.String())
			}
		})
	}
}

func TestAnImageOfSeveralGetsTheKeysOfAChartOfItsOwn(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.read = recordedApp("app")
	c.config(threeImagesFile)
	c.done("ref app -o helm")
	if got := c.out.String(); got != "--set-string image.repository=localhost/app --set-string image.tag=suite-1\n" {
		t.Errorf("printed %s", got)
	}
}

func TestKustomizeIsNotToldTwoImagesOfOneRepository(t *testing.T) {
	t.Parallel()
	const file = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nconsumer: suite\nimages:\n- {name: a, source: 'localhost/shared:one'}\n- {name: b, source: 'localhost/shared:two'}\n- {name: c, source: 'localhost/a:dev'}\n- {name: d, source: 'localhost/d-src:dev'}\n"
	shared := recordedApp("a", "b", "c", "d")
	shared.Images[0].Source, shared.Images[1].Source, shared.Images[2].Source = "localhost/shared:one", "localhost/shared:two", "localhost/a:dev"
	for line, images := range map[string][]int{"ref -o kustomize": {0, 1, 2, 3}, "ref a -o kustomize": {0}, "ref b -o kustomize": {1}, "ref c -o kustomize": {2}} {
		c := newConsole(t)
		c.config(file)
		c.library.read = &e2eimage.Images{Consumer: "suite"}
		for _, i := range images {
			c.library.read.Images = append(c.library.read.Images, shared.Images[i])
		}
		c.fails(line, exitInconsistent, "Kustomize cannot tell them apart")
	}
	c := newConsole(t)
	c.config(file)
	c.library.read = &e2eimage.Images{Consumer: "suite", Images: shared.Images[3:]}
	c.library.read.Images[0].Source = "localhost/d-src:dev"
	c.done("ref d -o kustomize")
	if got := c.out.String(); !strings.Contains(got, "name: localhost/d-src\n") || !strings.Contains(got, "name: localhost/d\n") {
		t.Errorf("printed %s", got)
	}
}
