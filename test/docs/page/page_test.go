package page

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

const sample = "# A page\n\n" +
	"Text with a [link](other.md#there) and [one](https://example.com).\n\n" +
	"<!-- docs-test: before\ntouch made\n-->\n" +
	"```yaml\n# deploy/app.yaml\nkind: Pod\n```\n\n" +
	"```sh\nls made\ncat deploy/app.yaml | grep kind\n```\n\n" +
	"```console\n$ echo one && \\\n> echo two\none\ntwo\n$ ls made\nmade\n```\n\n" +
	"<!-- docs-test: exit 3 -->\n```sh\n(exit 3)\n```\n\n" +
	"<!-- docs-test: not run: needs a mainframe -->\n```sh\nfalse\n```\n\n" +
	"```text\nnot run either\n```\n\n## Ends `here`\n"

func parsed(t *testing.T, text string) *Page {
	t.Helper()
	p, err := parse("docs/page.md", []byte(text))
	if err != nil {
		t.Fatal(err)
	}
	return p
}

func TestAPageSaysWhatIsDoneWithItsBlocks(t *testing.T) {
	t.Parallel()
	p := parsed(t, sample)
	var got []string
	for _, b := range p.Blocks {
		line := b.Language + " " + b.File + " " + b.NotRun
		if b.Runs() {
			line += "runs"
		}
		got = append(got, line)
	}
	want := "sh  runs|yaml deploy/app.yaml |sh  runs|console  runs|sh  runs|sh  needs a mainframe|text  "
	if joined := strings.Join(got, "|"); joined != want {
		t.Errorf("got  %s\nwant %s", joined, want)
	}
	if len(p.Links) != 1 || p.Links[0] != (Link{Line: 3, To: "other.md#there"}) || !p.Anchors["ends-here"] {
		t.Errorf("links %v, anchors %v", p.Links, p.Anchors)
	}
}

func TestWhatCannotBeRunIsRefused(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"a block that is only indented":      "text\n\n    ls\n",
		"a block without a language":         "```\nls\n```\n",
		"a comment that says nothing":        "<!-- docs-test: skip -->\n```sh\nls\n```\n",
		"a reason that is empty":             "<!-- docs-test: not run: -->\n```sh\nls\n```\n",
		"a comment without a block":          "<!-- docs-test: exit 3 -->\n\ntext\n",
		"a comment before what is never run": "<!-- docs-test: exit 3 -->\n```text\nls\n```\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := parse("docs/page.md", []byte(text)); err == nil {
				t.Error("it was taken")
			} else if !strings.HasPrefix(err.Error(), "docs/page.md") {
				t.Errorf("the page is not named: %v", err)
			}
		})
	}
}

// bash runs a page's script as the tests of the pages do, without their cluster.
func bash(t *testing.T, p *Page) (told string, err error) {
	t.Helper()
	s, err := p.Script()
	if err != nil {
		return "", err
	}
	dir := t.TempDir()
	script, prelude, trace := filepath.Join(dir, "page.md"), filepath.Join(dir, "prelude"), filepath.Join(dir, "trace")
	for file, text := range map[string]string{script: s.Text, prelude: Prelude} {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	file, err := os.Create(trace)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	command := exec.CommandContext(t.Context(), "bash", "-eEu", "-o", "pipefail", script)
	command.Dir, command.Env = dir, append(os.Environ(), "BASH_ENV="+prelude, "DOCS_OUT="+dir)
	command.ExtraFiles = []*os.File{file}
	out, err := command.CombinedOutput()
	text, readErr := os.ReadFile(trace)
	if readErr != nil {
		t.Fatal(readErr)
	}
	if err == nil {
		for _, c := range s.Commands {
			err = c.CompareIn(dir, strings.NewReplacer())
			if err != nil {
				break
			}
		}
	}
	return string(text) + string(out), err
}

func TestAPageRuns(t *testing.T) {
	t.Parallel()
	if told, err := bash(t, parsed(t, sample)); err != nil {
		t.Errorf("%v\n%s", err, told)
	}
}

func TestWhatFailsIsToldWithItsLine(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ text, want string }{
		"a command":                           {"text\n\n```sh\ntrue\nfalse\ntrue\n```\n", "failed 5: ended with 1\n"},
		"the middle of a pipe":                {"```sh\nfalse | cat\n```\n", "failed 2: ended with 1\n"},
		"a substitution":                      {"```sh\ntrue\ny=$(false)\n```\n", "failed 3: ended with 1\n"},
		"the first of a list":                 {"```sh\nx=$(false) && echo $x\n```\n", "failed 2: ended with 1\n"},
		"the first of a list that is shown":   {"```console\n$ x=$(false) && echo $x\n```\n", "failed 2: ended with 1\n"},
		"a command whose output is shown":     {"```console\n$ true\n$ (exit 7)\n```\n", "failed 3: ended with 7\n"},
		"one that should have failed":         {"<!-- docs-test: exit 3 -->\n```sh\ntrue\n```\n", "failed 3: ended with 0, the page says 3\n"},
		"one before the one that should fail": {"<!-- docs-test: exit 3 -->\n```sh\n(exit 4)\n(exit 3)\n```\n", "failed 3: ended with 4\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			told, err := bash(t, parsed(t, c.text))
			if err == nil || !strings.Contains(told, c.want) {
				t.Errorf("%v, want %q in\n%s", err, c.want, told)
			}
		})
	}
}
