package cli

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// hostile is what nobody should record, but a shell, a YAML parser or Helm would
// stumble over.
func hostile() *e2eimage.Images {
	return &e2eimage.Images{Consumer: "suite", Namespace: "tests", Images: []e2eimage.Ref{{
		Name: "9data-storage", Image: "localhost/x:$(id); y", Repository: `localhost/it's,"x"\`, Tag: "0123", ImageID: "`id`\n", Source: "{{", Recorded: noon(),
	}}}
}

func taggedTwo() *e2eimage.TagResult {
	image := func(name, tag, id string, changed bool) e2eimage.TaggedImage {
		return e2eimage.TaggedImage{
			Name: name, Consumer: "suite", Namespace: "tests", Image: "localhost/" + name + ":" + tag, ImageID: id,
			Source: "localhost/" + name + ":dev", Platform: "linux/amd64", Nodes: []string{"dev-control-plane", "dev-worker"}, Changed: changed,
		}
	}
	return &e2eimage.TagResult{Images: []e2eimage.TaggedImage{image("gateway", "suite-2", otherID, true), image("datastorage", "suite-1", imageID, false)}}
}

func deployedTwo() *e2eimage.DeployResult {
	return &e2eimage.DeployResult{
		Consumer: "suite", Namespace: "tests",
		Workloads: []e2eimage.DeployedWorkload{
			{Name: "deployment.apps/datastorage", Namespace: "tests", Action: "image updated", Generation: 2},
			{Name: "daemonset.apps/gateway", Namespace: "other", Action: "unchanged", Generation: 1},
		},
		Proved: []e2eimage.ProvedContainer{{
			Namespace: "tests", Pod: "datastorage-5d4-x", Container: "server", Node: "dev-worker",
			Image: "localhost/datastorage:suite-1", ImageID: imageID,
		}},
	}
}

func cleanedThree() *e2eimage.CleanResult {
	const image = "localhost/datastorage:suite-"
	return &e2eimage.CleanResult{Consumer: "suite", Namespace: "tests", Images: []e2eimage.CleanedImage{
		{Name: "datastorage", Removed: []string{image + "1", image + "2"}, Freed: []string{"dev-worker"}, RecordRemoved: true},
		{Name: "gateway", Removed: []string{}, Freed: []string{}, Left: []e2eimage.TagInUse{
			{Image: "localhost/gateway:suite-1", Node: "dev-worker", Pod: "tests/gateway-0"},
		}},
		{Name: "forgotten", Removed: []string{}, Freed: []string{}, RecordRemoved: true},
	}}
}

func TestResultsLookAsWritten(t *testing.T) {
	t.Parallel()
	const helm = twoImagesFile + `helm: {gateway.image.tag: "{{.Tag}}", datastorage.image.repository: "{{.Repository}}", global.consumer: "{{.Consumer}}", run: '{{env "RUN"}}'}` + "\n"
	var tests []goldenTest
	for _, format := range []string{"", "json", "yaml"} {
		tests = append(tests,
			goldenTest{name: "tag", format: format, line: "tag gateway datastorage", set: func(l *library) { l.tagged = taggedTwo() }},
			goldenTest{name: "deploy", format: format, line: "deploy datastorage gateway", set: func(l *library) { l.deployed = deployedTwo() }},
			goldenTest{name: "clean", format: format, line: "clean datastorage gateway forgotten", set: func(l *library) { l.cleaned = cleanedThree() }},
		)
	}
	for _, format := range []string{"", "image", "env", "helm", "kustomize", "json", "yaml"} {
		tests = append(tests,
			goldenTest{name: "ref", format: format, line: "ref datastorage", set: func(l *library) { l.read = recordedOne() }},
			goldenTest{name: "ref-hostile", format: format, line: "ref x", set: func(l *library) { l.read = hostile() }},
			goldenTest{name: "ref-two", format: format, line: "ref", file: helm, set: func(l *library) { l.read = recordedTwo() }},
		)
	}
	tests = append(tests,
		goldenTest{name: "deploy", format: "name", line: "deploy a", set: func(l *library) { l.deployed = deployedTwo() }},
		goldenTest{name: "deploy-dry-run", line: "deploy a --dry-run=server", set: func(l *library) { l.deployed = deployedTwo() }},
		goldenTest{name: "clean-dry-run", line: "clean a --dry-run", set: func(l *library) { l.cleaned = cleanedThree() }},
		goldenTest{name: "tag-nothing", format: "json", line: "tag a", set: func(l *library) { l.tagged = &e2eimage.TagResult{Images: []e2eimage.TaggedImage{}} }},
	)
	for _, test := range tests {
		t.Run(test.golden(), func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.environment = map[string]string{"RUN": "7"}
			c.config(test.file)
			test.set(&c.library)
			line := test.line
			if test.format != "" {
				line += " -o " + test.format
			}
			c.done(line)
			golden(t, test.golden(), c.out.String())
		})
	}
}

type goldenTest struct {
	name, format, line, file string
	set                      func(*library)
}

// golden is how the golden file for a test is called.
func (g goldenTest) golden() string {
	if g.format == "" {
		return g.name
	}
	return fmt.Sprintf("%s-%s", g.name, g.format)
}

func TestWhatCleanLeftIsSaidOnStderr(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.cleaned = cleanedThree()
	c.done("clean datastorage gateway forgotten")
	for _, words := range []string{"localhost/gateway:suite-1 is left: in use by pod tests/gateway-0 on dev-worker", "--force", "nothing uses the image any more"} {
		if !strings.Contains(c.errOut.String(), words) {
			t.Errorf("stderr does not say %q:\n%s", words, c.errOut.String())
		}
	}
}

func TestQuietSilencesAllButResultsAndWarnings(t *testing.T) {
	t.Parallel()
	for _, flag := range []string{"-q", "--quiet"} {
		c := newConsole(t)
		c.library.cleaned = cleanedThree()
		c.library.during = func(context.Context) {
			report := c.library.options.Reporter
			report.Info("done something")
			building := report.Start(progress.Step{Doing: "Building x"})
			building.Result("Built x")
			building.End(nil)
			report.Warn("careful")
		}
		c.done("clean datastorage gateway forgotten " + flag)
		for line := range strings.Lines(c.errOut.String()) {
			if !strings.HasPrefix(line, "warning: ") {
				t.Errorf("%s: stderr has %q", flag, line)
			}
		}
		if !strings.Contains(c.errOut.String(), "warning: careful\n") || c.out.Len() == 0 {
			t.Errorf("%s: stderr %q, stdout %q", flag, c.errOut.String(), c.out.String())
		}
	}
}

func TestProgressGoesToStderrInPlainLines(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.tagged = taggedTwo()
	c.library.during = func(context.Context) {
		report := c.library.options.Reporter
		report.Start(progress.Step{Doing: "Checking 2 nodes", Done: "Checked 2 nodes"}).End(nil)
		report.Info("done something")
		report.Warn("careful")
	}
	c.done("tag a")
	if got := c.errOut.String(); got != "done something\nwarning: careful\n" {
		t.Errorf("stderr %q", got)
	}
	if got := c.out.String(); got != "localhost/gateway:suite-2\nlocalhost/datastorage:suite-1\n" {
		t.Errorf("stdout %q", got)
	}
}
