package e2eimage

import (
	"os/exec"
	"runtime"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestTemplatesGetTheFactsOfThisHost(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	git := func(args ...string) string {
		out, err := exec.CommandContext(t.Context(), "git", append([]string{"-C", dir, "-c", "user.name=a", "-c", "user.email=a@b"}, args...)...).CombinedOutput()
		if err != nil {
			t.Fatalf("git %v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	git("init", "--quiet")
	git("commit", "--quiet", "--allow-empty", "-m", "x")
	client, err := New(Options{Dir: dir, User: "somebody", LookupEnv: func(key string) (string, bool) { return "7", key == "RUN" }})
	if err != nil {
		t.Fatal(err)
	}
	s := suite("suite", "a")
	if values := client.facts(t.Context(), s, config.TemplateValues{}); values.GitCommit != "" {
		t.Errorf("Git was asked although nobody wants to know: %q", values.GitCommit)
	}
	s.Images[0].TagTemplate = "{{.GitShort}}"
	values := client.facts(t.Context(), s, config.TemplateValues{})
	if values.GitCommit != git("rev-parse", "HEAD") || !strings.HasPrefix(values.GitCommit, values.GitShort) || values.GitShort == "" {
		t.Errorf("commit %q, short %q", values.GitCommit, values.GitShort)
	}
	if run, _ := values.Environment("RUN"); run != "7" || values.Arch != runtime.GOARCH || values.Unix == 0 || values.User != "somebody" {
		t.Errorf("values %+v", values)
	}
	if values.Random != "" {
		t.Error("the random part is drawn once for each image")
	}
	said := config.TemplateValues{GitCommit: "c", GitShort: "s", User: "u", Unix: 7, Arch: "a"}
	if values := client.facts(t.Context(), s, said); values.GitCommit != "c" || values.GitShort != "s" || values.User != "u" || values.Unix != 7 || values.Arch != "a" {
		t.Errorf("what a caller says was not kept: %+v", values)
	}
}
