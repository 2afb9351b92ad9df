package cli

import (
	"context"
	"maps"
	"os/exec"
	"os/user"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// templateValues are the facts about this host that templates can use. Git
// is asked only when a template wants to know; no answer leaves the field empty,
// and a template that uses it then says so.
func (a *app) templateValues(ctx context.Context, suite config.Suite) config.TemplateValues {
	values := config.TemplateValues{
		Unix: time.Now().Unix(), Arch: runtime.GOARCH, User: userName(),
		Environment: a.host.Environment,
	}
	templates := slices.Collect(maps.Values(suite.Helm))
	for _, image := range suite.Images {
		templates = append(templates, image.TagTemplate)
	}
	if strings.Contains(strings.Join(templates, "\n"), ".Git") {
		values.GitCommit = a.git(ctx, "rev-parse", "HEAD")
		values.GitShort = a.git(ctx, "rev-parse", "--short", "HEAD")
	}
	return values
}

// buildValues are the facts that builds can use and that are written down.
func (a *app) buildValues(ctx context.Context, suite config.Suite) config.TemplateValues {
	values := a.templateValues(ctx, suite)
	if values.GitCommit == "" {
		values.GitCommit = a.git(ctx, "rev-parse", "HEAD")
	}
	if values.GitShort == "" {
		values.GitShort = a.git(ctx, "rev-parse", "--short", "HEAD")
	}
	return values
}

// userName is who runs this, "" where the system does not tell.
func userName() string {
	current, err := user.Current()
	if err != nil {
		return ""
	}
	return current.Username
}

func (a *app) git(ctx context.Context, args ...string) string {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", a.host.Dir}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
