package cli

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestHelpFitsAnOldTerminal(t *testing.T) {
	t.Parallel()
	for name, line := range map[string]string{
		"help": "--help", "help-tag": "tag --help", "help-deploy": "deploy --help", "help-ref": "ref --help", "help-clean": "clean --help", "help-load": "load --help", "help-build": "build --help", "help-up": "up --help", "help-render": "render --help", "help-status": "status --help", "help-verify": "verify --help",
		"help-version": "version --help", "help-completion": "completion --help", "help-options": "options --help", "options": "options",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.done(line)
			for text := range strings.Lines(c.out.String()) {
				text = strings.TrimSuffix(text, "\n")
				if utf8.RuneCountInString(text) > 80 {
					t.Errorf("more than 80 columns: %s", text)
				}
				if strings.TrimRight(text, " ") != text {
					t.Errorf("blanks at the end: %q", text)
				}
			}
			golden(t, name, c.out.String())
			if c.errOut.Len() > 0 {
				t.Errorf("stderr: %s", c.errOut.String())
			}
		})
	}
}

func TestHelpCanBeAskedForInSeveralWays(t *testing.T) {
	t.Parallel()
	for _, same := range [][]string{{"--help", "-h", "help", ""}, {"tag --help", "help tag", "tag -h"}} {
		var first string
		for _, line := range same {
			c := newConsole(t)
			c.done(line)
			if first == "" {
				first = c.out.String()
			}
			if c.out.String() != first {
				t.Errorf("%q says something else than %q:\n%s", line, same[0], c.out.String())
			}
		}
	}
}

func TestEveryCommandHasAnExample(t *testing.T) {
	t.Parallel()
	for _, cmd := range newApp(Host{}).root().Commands() {
		if cmd.Name() != "help" && !strings.Contains(cmd.Example, "kubectl e2eimage "+cmd.Name()) {
			t.Errorf("%s has none that calls it: %q", cmd.Name(), cmd.Example)
		}
	}
}
