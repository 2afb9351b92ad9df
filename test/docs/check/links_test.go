// Package check looks at the pages without running anything: their links, and whether
// each command that they show could be typed.
package check

import (
	"os"
	"path"
	"path/filepath"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/docs/page"
)

const root = "../../.."

func read(t *testing.T, which func(string) ([]*page.Page, error)) []*page.Page {
	t.Helper()
	pages, err := which(root)
	if err != nil {
		t.Fatal(err)
	}
	return pages
}

func TestEveryLinkLeadsSomewhere(t *testing.T) {
	t.Parallel()
	pages := append(read(t, page.All), read(t, page.Others)...)
	byPath := map[string]*page.Page{}
	for _, p := range pages {
		byPath[p.Path] = p
	}
	links := 0
	for _, p := range pages {
		for _, link := range p.Links {
			links++
			file, anchor, _ := strings.Cut(link.To, "#")
			to := p.Path
			if file != "" {
				to = path.Join(path.Dir(p.Path), file)
			}
			if _, err := os.Stat(filepath.Join(root, to)); err != nil || strings.HasPrefix(to, "..") {
				t.Errorf("%s:%d: %s is not there", p.Path, link.Line, link.To)
			} else if anchor != "" && (byPath[to] == nil || !byPath[to].Anchors[anchor]) {
				t.Errorf("%s:%d: %s has no heading #%s", p.Path, link.Line, to, anchor)
			}
		}
	}
	if links < 20 {
		t.Errorf("only %d links found", links)
	}
}

// Who reads a list of pages has to find each of them.
func TestEveryPageIsLinkedFromAnother(t *testing.T) {
	t.Parallel()
	pages := read(t, page.All)
	linked := map[string]bool{"README.md": true}
	for _, p := range pages {
		for _, link := range p.Links {
			file, _, _ := strings.Cut(link.To, "#")
			if to := path.Join(path.Dir(p.Path), file); to != p.Path {
				linked[to] = true
			}
		}
	}
	for _, p := range pages {
		if !linked[p.Path] {
			t.Errorf("no page links to %s", p.Path)
		}
	}
}
