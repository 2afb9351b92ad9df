package run

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// leftovers knows what was there before a page, and takes away what it added: pages use
// names that a reader would, so that the next page must not find them.
type leftovers struct {
	t                  *testing.T
	namespaces, images []string
}

func newLeftovers(t *testing.T) *leftovers {
	t.Helper()
	l := &leftovers{t: t}
	l.namespaces, l.images = l.look(t.Context())
	return l
}

func (l *leftovers) look(ctx context.Context) (namespaces, images []string) {
	l.t.Helper()
	return l.lines(ctx, "kubectl", "get", "namespaces", "-o", "name"),
		l.lines(ctx, "docker", "images", "--format", "{{.Repository}}:{{.Tag}}")
}

func (l *leftovers) remove() {
	// The test's own context has ended.
	ctx := context.WithoutCancel(l.t.Context())
	namespaces, images := l.look(ctx)
	for _, name := range namespaces {
		if !slices.Contains(l.namespaces, name) {
			l.lines(ctx, "kubectl", "delete", name, "--wait=false")
		}
	}
	for _, name := range images {
		if !slices.Contains(l.images, name) && !strings.Contains(name, "<none>") {
			l.lines(ctx, "docker", "image", "rm", "--force", name)
		}
	}
}

// lines is what a command prints, which has to work.
func (l *leftovers) lines(ctx context.Context, argv ...string) []string {
	l.t.Helper()
	program := argv[0]
	if program == "kubectl" {
		program = filepath.Join(reader.bin, program)
	}
	command := exec.CommandContext(ctx, program, argv[1:]...)
	command.Env = append(os.Environ(), "KUBECONFIG="+reader.kubeconfig)
	out, err := command.Output()
	if err != nil {
		l.t.Errorf("%v: %v", argv, err)
	}
	return strings.Fields(string(out))
}
