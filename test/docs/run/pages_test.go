package run

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/docs/page"
)

// pageLimit is long for a page that works, and short for one that hangs.
const pageLimit = 3 * time.Minute

// The pages are run one after the other, since they share the names of their images.
func TestEveryCommandOfThePagesWorks(t *testing.T) {
	pages, err := page.All(root)
	if err != nil {
		t.Fatal(err)
	}
	commands := 0
	for _, p := range pages {
		for _, b := range p.Blocks {
			if b.NotRun != "" {
				t.Logf("%s:%d is not run: %s", p.Path, b.Line, b.NotRun)
			} else if b.Runs() && !b.Hidden {
				commands++
			}
		}
		script, err := p.Script()
		if err != nil {
			t.Error(err)
		} else if script.Text != "" {
			t.Run(strings.TrimSuffix(filepath.Base(p.Path), ".md"), func(t *testing.T) { runPage(t, p, script) })
		}
	}
	if commands < 10 {
		t.Errorf("only %d blocks of commands found", commands)
	}
}

func runPage(t *testing.T, p *page.Page, script page.Script) {
	u := newPlace(t)
	told, err := u.bash(script.Text, p.Path)
	if err != nil {
		t.Fatalf("%s\n%s", u.failure(p, err), told)
	}
	for _, c := range script.Commands {
		if err := c.CompareIn(u.out, strings.NewReplacer(reader.cluster, "dev", u.namespace, "default")); err != nil {
			t.Errorf("%s:%d: %v", p.Path, c.Line, err)
		}
	}
}

// place is where a page is run: a folder and a namespace that go with it.
type place struct {
	t *testing.T
	// work is the reader's folder, out where the script notes what it does.
	work, out string
	namespace string
	env       []string
}

func newPlace(t *testing.T) *place {
	t.Helper()
	dir, err := os.MkdirTemp(reader.dir, "page-")
	if err != nil {
		t.Fatal(err)
	}
	name := regexp.MustCompile(`[^a-z0-9]+`).ReplaceAllString(strings.ToLower(filepath.Base(t.Name())), "-")
	u := &place{t: t, work: filepath.Join(dir, "work"), out: filepath.Join(dir, "out"), namespace: fmt.Sprintf("docs-%s-%d", strings.Trim(name, "-"), os.Getpid())}
	config, err := os.ReadFile(reader.kubeconfig)
	if err := errors.Join(err, os.Chmod(dir, 0o755), os.Mkdir(u.work, 0o755), os.Mkdir(u.out, 0o755), os.WriteFile(filepath.Join(dir, "kubeconfig"), config, 0o600)); err != nil {
		t.Fatal(err)
	}
	examples, err := filepath.Abs(filepath.Join(root, "examples"))
	if err != nil {
		t.Fatal(err)
	}
	path := reader.bin + ":" + os.Getenv("PATH")
	if reader.ordinary != nil {
		path = u.compiled(dir) + ":" + path
	}
	u.env = append(os.Environ(), "KUBECONFIG="+filepath.Join(dir, "kubeconfig"), "PATH="+path, "KIND_EXPERIMENTAL_PROVIDER=docker",
		"SERVICE="+reader.service, "EXAMPLES="+examples, "ROOT="+filepath.Dir(examples), "HOME="+filepath.Join(dir, "home"))
	if err := os.Mkdir(filepath.Join(dir, "home"), 0o755); err != nil {
		t.Fatal(err)
	}
	was := newLeftovers(t)
	u.must("kubectl", "create", "namespace", u.namespace)
	u.must("kubectl", "config", "set-context", "--current", "--namespace", u.namespace)
	t.Cleanup(was.remove)
	return u
}

// compiled is a folder with a go that gives the examples' service, which root has compiled
// already: with an empty build cache it would compile Go's library for minutes. Other flags
// make another program, which does the same.
func (u *place) compiled(dir string) string {
	folder := filepath.Join(dir, "toolchain")
	script := "#!/bin/sh\nall=$*\nwhile [ $# -gt 1 ]; do [ \"$1\" = -o ] && mkdir -p \"$(dirname \"$2\")\" && cp " + reader.service + " \"$2\" && echo \"$all\" >>\"$2\" && exit; shift; done\necho 'no Go here' >&2; exit 1\n"
	if err := errors.Join(os.Mkdir(folder, 0o755), os.WriteFile(filepath.Join(folder, "go"), []byte(script), 0o755)); err != nil {
		u.t.Fatal(err)
	}
	return folder
}

// bash runs a page's script and returns what was printed and traced.
func (u *place) bash(script, name string) (string, error) {
	u.t.Helper()
	file, prelude, trace := filepath.Join(u.out, filepath.Base(name)), filepath.Join(u.out, "prelude"), filepath.Join(u.out, "trace")
	log, err := os.Create(trace)
	if err := errors.Join(err, os.WriteFile(file, []byte(script), 0o644), os.WriteFile(prelude, []byte(page.Prelude), 0o644)); err != nil {
		u.t.Fatal(err)
	}
	defer log.Close()
	ctx, cancel := context.WithTimeout(u.t.Context(), pageLimit)
	defer cancel()
	command := exec.CommandContext(ctx, "bash", "-eEu", "-o", "pipefail", file)
	command.Dir, command.Env = u.work, append(u.env, "BASH_ENV="+prelude, "DOCS_OUT="+u.out)
	command.Stdout, command.Stderr, command.ExtraFiles = log, log, []*os.File{log}
	if err := u.become(command); err != nil {
		u.t.Fatal(err)
	}
	err = command.Run()
	if ctx.Err() != nil {
		err = fmt.Errorf("not done after %s", pageLimit)
	}
	told, readErr := os.ReadFile(trace)
	if readErr != nil {
		u.t.Fatal(readErr)
	}
	return string(told), err
}

// become makes a command the ordinary user's.
func (u *place) become(command *exec.Cmd) error {
	if reader.ordinary == nil {
		return nil
	}
	home := ""
	for _, variable := range u.env {
		if value, is := strings.CutPrefix(variable, "HOME="); is {
			home = value
		}
	}
	if err := errors.Join(reader.ordinary.Own(filepath.Dir(u.work)), reader.ordinary.Runs(command)); err != nil {
		return err
	}
	// A home of the page's own.
	command.Env = append(command.Env, "HOME="+home)
	return nil
}

var failed = regexp.MustCompile(`(?m)^failed (\d+): (.*)$`)

// failure names the page's line that failed, and shows what it printed where the page
// compares that.
func (u *place) failure(p *page.Page, err error) string {
	told, readErr := os.ReadFile(filepath.Join(u.out, "trace"))
	found := failed.FindSubmatch(told)
	if readErr != nil || found == nil {
		return fmt.Sprintf("%s: %v", p.Path, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s:%s: %s", p.Path, found[1], found[2])
	for _, stream := range []string{"out", "err"} {
		if text, err := os.ReadFile(filepath.Join(u.out, string(found[1])+"."+stream)); err == nil && len(text) > 0 {
			fmt.Fprintf(&b, "\n%s", text)
		}
	}
	return b.String()
}

func (u *place) must(argv ...string) {
	u.t.Helper()
	command := exec.CommandContext(u.t.Context(), filepath.Join(reader.bin, argv[0]), argv[1:]...)
	command.Env = u.env
	if out, err := command.CombinedOutput(); err != nil {
		u.t.Fatalf("%v: %v: %s", argv, err, out)
	}
}
