package e2eimage

import (
	"bytes"
	"cmp"
	"context"
	"maps"
	"runtime"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// facts fills in what templates can know of this host, where a caller does not say it. Git
// is asked only where a template wants to know; no answer leaves the field empty, and a
// template that uses it then says so.
func (c *Client) facts(ctx context.Context, suite config.Suite, said config.TemplateValues) config.TemplateValues {
	templates := slices.Collect(maps.Values(suite.Helm))
	for _, image := range suite.Images {
		templates = append(templates, image.TagTemplate)
	}
	said.Unix = cmp.Or(said.Unix, time.Now().Unix())
	said.Arch, said.User = cmp.Or(said.Arch, runtime.GOARCH), cmp.Or(said.User, c.options.User)
	if said.Environment == nil {
		said.Environment = c.options.LookupEnv
	}
	if strings.Contains(strings.Join(templates, "\n"), ".Git") {
		said = c.commit(ctx, said)
	}
	return said
}

// commit fills in the commit, which is written down with what is built from it.
func (c *Client) commit(ctx context.Context, said config.TemplateValues) config.TemplateValues {
	if said.GitCommit == "" {
		said.GitCommit = c.git(ctx, "rev-parse", "HEAD")
	}
	if said.GitShort == "" {
		said.GitShort = c.git(ctx, "rev-parse", "--short", "HEAD")
	}
	return said
}

func (c *Client) git(ctx context.Context, args ...string) string {
	var out bytes.Buffer
	command := hostexec.Command{Argv: append([]string{"git", "-C", c.options.Dir}, args...), Stdout: &out}
	if err := c.runner.Run(ctx, command); err != nil {
		return ""
	}
	return strings.TrimSpace(out.String())
}
