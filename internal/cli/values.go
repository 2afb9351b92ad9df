package cli

import (
	"context"
	"os/exec"
	"os/user"
	"runtime"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// templateValues are the facts about this host that tag templates can use. Git
// is asked only when a template wants to know; no answer leaves the field empty,
// and a template that uses it then says so.
func (a *app) templateValues(ctx context.Context, suite config.Suite) config.TemplateValues {
	values := config.TemplateValues{Unix: time.Now().Unix(), Arch: runtime.GOARCH, Environment: a.host.Environment}
	if current, err := user.Current(); err == nil {
		values.User = current.Username
	}
	for _, image := range suite.Images {
		if strings.Contains(image.TagTemplate, ".Git") {
			values.GitCommit = a.git(ctx, "rev-parse", "HEAD")
			values.GitShort = a.git(ctx, "rev-parse", "--short", "HEAD")
			break
		}
	}
	return values
}

func (a *app) git(ctx context.Context, args ...string) string {
	out, err := exec.CommandContext(ctx, "git", append([]string{"-C", a.host.Dir}, args...)...).Output()
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(out))
}
