package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func TestSpecs(t *testing.T) {
	for _, c := range []struct {
		args string
		want []string
	}{
		{"--root /r create --bundle /b --pid-file /p id", []string{"/b/config.json"}},
		{"run -b /b id", []string{"/b/config.json"}},
		{"create --bundle=/b id", []string{"/b/config.json"}},
		{"--log /l exec --process /tmp/p --detach id", []string{"/tmp/p"}},
		{"exec -p /tmp/p id", []string{"/tmp/p"}},
		// ps has a -p of its own, and delete has neither.
		{"delete --force id", nil},
		{"--bundle", nil},
	} {
		if got := specs(strings.Fields(c.args)); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q", c.args, got)
		}
	}
}

func TestWithout(t *testing.T) {
	for name, c := range map[string]struct{ in, want string }{
		"bundle":  {`{"process":{"capabilities":{"bounding":["CAP_CHOWN","CAP_SYS_RESOURCE"],"effective":["CAP_SYS_RESOURCE"]}},"n":18446744073709551615}`, `{"n":18446744073709551615,"process":{"capabilities":{"bounding":["CAP_CHOWN"],"effective":[]}}}`},
		"process": {`{"capabilities":{"permitted":["CAP_SYS_RESOURCE","CAP_KILL"]}}`, `{"capabilities":{"permitted":["CAP_KILL"]}}`},
		"other":   {`{"process": {"capabilities": null}}`, `{"process": {"capabilities": null}}`},
	} {
		t.Run(name, func(t *testing.T) {
			got, err := without([]byte(c.in))
			if err != nil || string(got) != c.want {
				t.Errorf("got %s, %v", got, err)
			}
		})
	}
	if _, err := without([]byte(`"CAP_SYS_RESOURCE`)); err == nil {
		t.Error("broken JSON is accepted")
	}
}

func TestRewriteKeepsTheMode(t *testing.T) {
	file := filepath.Join(t.TempDir(), "config.json")
	if err := os.WriteFile(file, []byte(`{"capabilities":{"bounding":["CAP_SYS_RESOURCE"]}}`), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := rewrite(file); err != nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file)
	if err != nil || !json.Valid(text) || strings.Contains(string(text), forbidden) {
		t.Errorf("got %s, %v", text, err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if err := rewrite(file + ".none"); err != nil {
		t.Errorf("a missing file is runc's to report: %v", err)
	}
}
