package e2eimage

import (
	"context"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// noting keeps the build's command line.
type noting struct {
	hostexec.Runner
	build []string
}

func (n *noting) Run(ctx context.Context, command hostexec.Command) error {
	if slices.Contains(command.Argv[:2], "build") {
		n.build = command.Argv
	}
	return n.Runner.Run(ctx, command)
}

func TestTheLocksFolderIsLeftOutUnlessAFlagMayNameOtherFiles(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		flags []string
		own   bool
	}{
		"no flags":                       {own: true},
		"a flag that is understood":      {flags: []string{"--label", "a=b"}, own: true},
		"files behind one that is not":   {flags: []string{"--no-cache", "--ignorefile", "DIR/ignore", "-f", "DIR/other"}},
		"a Dockerfile from elsewhere":    {flags: []string{"-f", "https://example.com/Dockerfile"}},
		"a Dockerfile on standard input": {flags: []string{"-f", "-"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]string{"app": "FROM scratch\nCOPY . /\n"})
			h.write("Dockerfile", "FROM scratch\nCOPY . /\n")
			h.write("other", "FROM scratch\n")
			h.write("ignore", "")
			h.write(".e2eimage/suite.lock", "")
			build := h.image("app").Build
			build.Context, build.Flags = h.dir, map[string][]string{"podman": {}}
			for _, flag := range test.flags {
				build.Flags["podman"] = append(build.Flags["podman"], strings.ReplaceAll(flag, "DIR", h.dir))
			}
			client := h.client()
			seen := &noting{Runner: h}
			client.runner = seen
			if _, err := client.Build(t.Context(), BuildInput{Suite: h.suite}); err != nil {
				t.Fatal(err)
			}
			line := strings.Join(seen.build, " ")
			if own := strings.Contains(line, "--ignorefile") && !strings.Contains(line, "--ignorefile "+h.dir); own != test.own {
				t.Errorf("an ignore file of our own: %t, want %t\n%s", own, test.own, line)
			}
			if strings.Count(line, "--ignorefile") > 1 {
				t.Errorf("the user's ignore file is not the only one: %s", line)
			}
			if said := h.said.String(); !test.own && !strings.Contains(said, "to .dockerignore") {
				t.Errorf("nothing warns that the folder is sent: %s", said)
			}
		})
	}
}
