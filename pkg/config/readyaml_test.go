package config

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// parsed is what a text says, and what is wrong with it.
func parsed(text string) (*document, error) {
	var found problems
	doc := newDocument("/dir/"+fileName, fileName, &found)
	if doc.parse([]byte(text)) {
		doc.check()
	}
	found.sortByLine()
	return doc, found.err()
}

func TestHowAFileIsWrittenDoesNotMatter(t *testing.T) {
	t.Parallel()
	const plain = header + "images:\n- name: a\n  source: localhost/a:1\n  build: {context: ctx, file: F}\n- name: b\n  source: localhost/a:1\n  build: {context: ctx, file: G}\n"
	want, err := parsed(plain)
	if err != nil {
		t.Fatal(err)
	}
	const json = `{"apiVersion": "e2eimage.dev/v1alpha1", "kind": "Config", "images": [
		{"name": "a", "source": "localhost/a:1", "build": {"context": "ctx", "file": "F"}},
		{"name": "b", "source": "localhost/a:1", "build": {"context": "ctx", "file": "G"}}]}`
	for name, text := range map[string]string{
		"Windows line ends":     strings.ReplaceAll(plain, "\n", "\r\n"),
		"a byte order mark":     "\ufeff" + plain,
		"document marks":        "---\n" + plain + "...\n",
		"comments":              "# one\n" + strings.ReplaceAll(plain, "\n", " # two\n"),
		"JSON":                  json,
		"anchors and aliases":   strings.Replace(strings.Replace(plain, "localhost/a:1", "&src localhost/a:1", 1), "b\n  source: localhost/a:1", "b\n  source: *src", 1),
		"merge keys":            header + "images:\n- &a\n  name: a\n  source: localhost/a:1\n  build: &build {context: ctx, file: F}\n- <<: *a\n  name: b\n  build: {<<: *build, file: G}\n",
		"a list of merge keys":  header + "images:\n- &a\n  name: a\n  source: localhost/a:1\n  build: &build {context: ctx, file: F}\n- {<<: [*a], name: b, build: {<<: [*build, {file: x}], file: G}}\n",
		"explicit null is none": plain + "suites: ~\nhelm:\nconsumer: null\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got, err := parsed(text)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(want.file, got.file, cmp.AllowUnexported(file{})); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestNumbersAreFineAsText(t *testing.T) {
	t.Parallel()
	doc, err := parsed(header + "tag: 1.10\nimages: [{name: 0123, build: {args: {A: 1, B: 2.50, 3: x}}}]\n")
	if err != nil {
		t.Fatal(err)
	}
	if doc.file.Tag != "1.10" || doc.file.Images[0].Name != "0123" {
		t.Errorf("got tag %q and name %q", doc.file.Tag, doc.file.Images[0].Name)
	}
	if diff := cmp.Diff(map[string]string{"A": "1", "B": "2.50", "3": "x"}, doc.file.Images[0].Build.Args); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestAFileOfMoreThanAMebibyteIsNotRead(t *testing.T) {
	t.Parallel()
	const file = header + "images: [{name: a}]\n"
	fill := func(size int) string { return file + "#" + strings.Repeat("x", size-len(file)-2) + "\n" }
	if _, err := Resolve(Flags{}, nil, workplace(t, fill(maxSize))); err != nil {
		t.Errorf("a mebibyte: %v", err)
	}
	refused(t, Flags{}, nil, fill(maxSize+1), "e2eimage.yaml: cannot be read: it has more than 1048576 bytes, too many for a config")
	if _, err := Resolve(Flags{ConfigPath: "/dev/zero"}, nil, t.TempDir()); err == nil {
		t.Error("a file without end: no error")
	}
}

// A minute is for the race detector on a busy host; alone each takes a moment.
func TestHostileFilesDoNotHang(t *testing.T) {
	t.Parallel()
	many := func(format string, count int) string {
		var text bytes.Buffer
		for i := range count {
			if strings.Contains(format, "%") {
				fmt.Fprintf(&text, format, i)
			} else {
				text.WriteString(format)
			}
		}
		return text.String()
	}
	laughs := "a: &a [x]\n"
	for i := 'b'; i < 'z'; i++ {
		laughs += fmt.Sprintf("%c: &%c [%s]\n", i, i, strings.TrimSuffix(strings.Repeat(fmt.Sprintf("*%c,", i-1), 10), ","))
	}
	for name, text := range map[string]string{
		"a billion laughs":           header + laughs,
		"a billion laughs in place":  header + "images:\n- name: a\n  build: {flags: {docker: " + strings.TrimSpace(strings.ReplaceAll(laughs, "\n", ", ")) + "}}\n",
		"one long list many times":   header + "images:\n- &a\n  name: a\n  build: {command: [" + many("x,", 25000) + "]}\n" + many("- *a\n", 10000),
		"many merges":                header + "images:\n- &a {name: a, build: {args: {" + many("a%d: x, ", 4000) + "}}}\n" + many("- <<: *a\n", 5000),
		"many unknown fields":        header + many("x%d: y\n", 8000),
		"many images":                header + "images:\n" + many("- {name: i%d}\n", 5000) + "suites: [{consumer: a, images: [" + many("j%d,", 3000) + "]}]\n",
		"deep lists":                 header + "images: " + strings.Repeat("[", 50000),
		"deep fields":                header + "images: " + strings.Repeat("{a: ", 20000),
		"a long word":                header + strings.Repeat("x", 100000) + ": y\n",
		"a loop":                     header + "images: &a [*a]\n",
		"a merge of itself":          header + "images:\n- &a {<<: *a, name: a}\n",
		"a list of merges of itself": header + "images:\n- {<<: &a [*a], name: a}\n",
		"a template that loops":      header + "tag: '{{range 1000000000}}{{end}}'\nimages: [{name: a}]\n",
		"a template that recurs":     header + "tag: '{{define \"a\"}}{{template \"a\"}}{{template \"a\"}}{{end}}{{template \"a\"}}'\nimages: [{name: a}]\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			done := make(chan error, 1)
			go func() {
				_, err := parsed(text)
				done <- err
			}()
			select {
			case err := <-done:
				if err == nil {
					t.Error("no error")
				}
			case <-time.After(time.Minute):
				t.Fatal("not judged within a minute")
			}
		})
	}
}

func TestWhatIsWrittenBesideAMergeReplacesWhatThatBringsIn(t *testing.T) {
	t.Parallel()
	const file = header + `images:
- &a {name: a, deploy: &deploy {workloads: [job/a], timeout: 1s, maxRestarts: 5}}
- {<<: *a, name: b}
- {<<: *a, name: c, deploy: {timeout: 1m}}
- {<<: *a, name: d, deploy: ~}
- {<<: *a, name: e, deploy: {<<: *deploy, workloads: [], maxRestarts: 0}}
- {<<: *a, name: f, deploy: {<<: *deploy, workloads: ~, maxRestarts: ~}}
- {<<: [{deploy: {timeout: 2s}}, *a], name: g}
`
	suite, _ := resolved(t, Flags{}, nil, file)
	got := map[string]Deploy{}
	for _, image := range suite.Images {
		got[image.Name] = image.Deploy
	}
	want := map[string]Deploy{
		"a": {Workloads: []string{"job/a"}, Timeout: time.Second, MaxRestarts: 5},
		"b": {Workloads: []string{"job/a"}, Timeout: time.Second, MaxRestarts: 5},
		"c": {Workloads: []string{"deployment/c"}, Timeout: time.Minute, MaxRestarts: DefaultMaxRestarts},
		"d": {Workloads: []string{"deployment/d"}, Timeout: DefaultTimeout, MaxRestarts: DefaultMaxRestarts},
		"e": {Workloads: []string{}, Timeout: time.Second, MaxRestarts: 0},
		"f": {Workloads: []string{"deployment/f"}, Timeout: time.Second, MaxRestarts: DefaultMaxRestarts},
		"g": {Workloads: []string{"deployment/g"}, Timeout: 2 * time.Second, MaxRestarts: DefaultMaxRestarts},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestValuesAreWhatTheirFieldTakes(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		image string
		want  []string
	}{
		"a broken number":            {"deploy: {maxRestarts: 3.7}", []string{`deploy.maxRestarts: "3.7" is no whole number from 0 on`}},
		"a number with a point":      {"deploy: {maxRestarts: 3.0}", []string{`deploy.maxRestarts: "3.0" is no whole number from 0 on`}},
		"a duration without a unit":  {"deploy: {timeout: 0}", []string{`deploy.timeout: "0" is no duration; write 120s or 5m`}},
		"a duration that has passed": {"deploy: {timeout: -5s}", []string{`deploy.timeout: "-5s" is no duration; write 120s or 5m`}},
		"a word for a truth":         {"build: {noCache: yes}", []string{`build.noCache: "yes" is neither true nor false`}},
		"nothing in a list":          {"deploy: {workloads: [~]}", []string{"deploy.workloads[0]: is empty"}},
		"nothing in a command":       {"build: {command: [~, x, ~]}", []string{"build.command[0]: is empty", "build.command[2]: is empty"}},
		"several mistakes in a field": {"build: {command: [make], platform: all}", []string{
			`build.platform: "all" is not one platform such as linux/amd64 or linux/arm64`,
			"build: has both command and what only an engine's build uses: file, target, platform, args, noCache or flags; choose one",
		}},
		"one mistake under an alias": {"build: {args: {A: &x [y]}, target: *x}", []string{"build.args.A: must be one value, is a list"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			_, err := parsed(header + "images: [{name: a, " + test.image + "}]\n")
			var got []string
			var usage *UsageError
			if errors.As(err, &usage) {
				for _, problem := range usage.Problems {
					got = append(got, strings.TrimPrefix(problem.String(), "e2eimage.yaml:3: images[0]."))
				}
			}
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

func TestAnElementThatCannotBeReadDoesNotMoveTheOthers(t *testing.T) {
	t.Parallel()
	refused(t, Flags{}, nil, header+"images:\n- text\n-\n- {source: localhost/a:1}\n- {name: A}\n",
		"e2eimage.yaml:4: images[0]: must be fields, is one value",
		"e2eimage.yaml:5: images[1]: is empty",
		"e2eimage.yaml:6: images[2].name: is missing; commands and records call the image by it",
		`e2eimage.yaml:7: images[3].name: "A" must be 1 to 63 lowercase letters, digits and -, with a letter or digit at both ends`)
}
