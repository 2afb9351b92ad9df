package e2eimage

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestWhatMakesUpBuildAgain(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		dockerfile string
		flags      []string
		before     func(*host)
		change     func(*host)
		builds     bool
	}{
		"nothing":                   {},
		"a file":                    {change: func(h *host) { h.write("app/file", "second") }, builds: true},
		"git's files, not copied":   {change: func(h *host) { h.write("app/.git/HEAD", "second") }},
		"git's files, copied":       {dockerfile: "FROM scratch\nCOPY . /\n", change: func(h *host) { h.write("app/.git/HEAD", "second") }, builds: true},
		"a Containerfile":           {change: func(h *host) { h.write("app/Containerfile", "FROM scratch\nLABEL a=b\n") }, builds: true},
		"a file of docker's":        {before: func(h *host) { h.write("app/.containerignore", "left\n") }, change: func(h *host) { h.write("app/.dockerignore", "file\n"); h.write("app/left", "") }, builds: true},
		"what is left out":          {before: func(h *host) { h.write("app/.containerignore", "left\n") }, change: func(h *host) { h.write("app/left", "") }},
		"a secret":                  {flags: []string{"--secret=id=a,src=DIR/secret"}, change: func(h *host) { h.write("secret", "second") }, builds: true},
		"another context":           {flags: []string{"--build-context", "more=DIR/more"}, change: func(h *host) { h.write("more/file", "second") }, builds: true},
		"the file of another flag":  {flags: []string{"--file", "DIR/other"}, change: func(h *host) { h.write("other", "FROM scratch\nLABEL a=b\n") }, builds: true},
		"the ignore file of a flag": {flags: []string{"--ignorefile=DIR/ignore"}, change: func(h *host) { h.write("ignore", "file\n") }, builds: true},
		"a flag that is harmless":   {flags: []string{"--label", "a=b"}},
		"what a volume has":         {flags: []string{"--volume=/a:/b"}, builds: true},
		"an agent":                  {flags: []string{"--ssh=default"}, builds: true},
		"a file from elsewhere":     {dockerfile: "FROM scratch\nADD https://example.com/x /\n", builds: true},
		"what is not understood":    {dockerfile: "FROM scratch\nINCLUDE x\n", builds: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if test.dockerfile == "" {
				test.dockerfile = "FROM scratch\nCOPY file /\n"
			}
			h := newHost(t, map[string]string{"app": test.dockerfile})
			h.write("app/.git/HEAD", "first")
			h.write("secret", "first")
			h.write("more/file", "first")
			h.write("other", "FROM scratch\n")
			h.write("ignore", "")
			if test.before != nil {
				test.before(h)
			}
			var flags []string
			for _, flag := range test.flags {
				flags = append(flags, strings.ReplaceAll(flag, "DIR", h.dir))
			}
			h.image("app").Build.Flags = map[string][]string{"podman": flags}
			if _, err := h.build(); err != nil {
				t.Fatal(err)
			}
			if test.change != nil {
				test.change(h)
			}
			if built := h.up(); (len(built) > 0) != test.builds {
				t.Errorf("up built %v, want %v; it said %s", built, test.builds, h.said.String())
			}
			if why := "app: built each time, since"; strings.Contains(h.said.String(), why) != (test.builds && test.change == nil) {
				t.Errorf("%q is said, or not: %s", why, h.said.String())
			}
		})
	}
}

func TestFlagsOfOneBuildAreMindedUntilTheNext(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM scratch\n"})
	h.write("secret", "first")
	flags := []string{"--secret=id=a,src=" + filepath.Join(h.dir, "secret")}
	if _, err := h.client().Build(t.Context(), BuildInput{Suite: h.suite, Flags: flags}); err != nil {
		t.Fatal(err)
	}
	h.suite.Freshness = config.FreshnessStrict
	check := func() error {
		lock, err := h.client().openLock(h.suite, "suite")
		if err == nil {
			image := *h.image("app")
			err = h.client().checkTree(t.Context(), image, lock.entry(image, ""), lock, h.suite)
		}
		return err
	}
	if err := check(); err != nil {
		t.Error(err)
	}
	h.write("secret", "second")
	says(t, check(), "files in", "changed since it was built")
}

func TestAnIDFileOfTheUsersOwnIsRefused(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM scratch\n"})
	_, err := h.client().Build(t.Context(), BuildInput{Suite: h.suite, Flags: []string{"--iidfile=x"}})
	is[*UsageError](t, err, "--iidfile", "-o json")
}
