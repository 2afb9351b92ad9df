package cli

import (
	"bytes"
	"context"
	"flag"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

var update = flag.Bool("update", false, "write testdata/*.golden anew")

// library stands in for the client: it keeps the inputs and gives set answers.
type library struct {
	options e2eimage.Options
	tag     []e2eimage.TagInput
	ref     []e2eimage.RefInput
	deploy  []e2eimage.DeployInput
	clean   []e2eimage.CleanInput
	load    []e2eimage.LoadInput
	build   []e2eimage.BuildInput
	up      []e2eimage.UpInput
	render  []e2eimage.RenderInput
	status  []e2eimage.StatusInput
	verify  []e2eimage.VerifyInput
	// diagnose is answered whatever err is.
	diagnose []e2eimage.DiagnoseInput

	// known are names that the cluster has, whatever they are asked of.
	known    []string
	tagged   *e2eimage.TagResult
	read     *e2eimage.Images
	deployed *e2eimage.DeployResult
	cleaned  *e2eimage.CleanResult
	loaded   *e2eimage.LoadResult
	built    *e2eimage.BuildResult
	upped    *e2eimage.UpResult
	rendered *e2eimage.RenderResult
	stated   *e2eimage.StatusResult
	// watched are the answers of a watch.
	watched []*e2eimage.StatusResult
	err     error
	// partly lets verbs that fail have done what is set.
	partly bool
	// during runs inside every verb.
	during func(context.Context)
}

var _ verbs = (*library)(nil)

func (l *library) Tag(ctx context.Context, in e2eimage.TagInput) (*e2eimage.TagResult, error) {
	return answer(ctx, l, &l.tag, in, l.tagged)
}

func (l *library) Load(ctx context.Context, in e2eimage.LoadInput) (*e2eimage.LoadResult, error) {
	return answer(ctx, l, &l.load, in, l.loaded)
}

func (l *library) Build(ctx context.Context, in e2eimage.BuildInput) (*e2eimage.BuildResult, error) {
	return answer(ctx, l, &l.build, in, l.built)
}

func (l *library) Up(ctx context.Context, in e2eimage.UpInput) (*e2eimage.UpResult, error) {
	return answer(ctx, l, &l.up, in, l.upped)
}

func (l *library) Render(ctx context.Context, in e2eimage.RenderInput) (*e2eimage.RenderResult, error) {
	rendered := l.rendered
	if rendered == nil {
		rendered = &e2eimage.RenderResult{Manifests: in.Manifests}
	}
	return answer(ctx, l, &l.render, in, rendered)
}

func (l *library) Status(ctx context.Context, in e2eimage.StatusInput) (*e2eimage.StatusResult, error) {
	return answer(ctx, l, &l.status, in, l.stated)
}

func (l *library) WatchStatus(ctx context.Context, in e2eimage.StatusInput, each func(*e2eimage.StatusResult) error) error {
	for _, stated := range l.watched {
		if err := each(stated); err != nil {
			return err
		}
	}
	_, err := l.Status(ctx, in)
	return err
}

func (l *library) Verify(ctx context.Context, in e2eimage.VerifyInput) (*e2eimage.StatusResult, error) {
	return answer(ctx, l, &l.verify, in, l.stated)
}

func (l *library) Ref(ctx context.Context, in e2eimage.RefInput) (*e2eimage.Images, error) {
	read, err := answer(ctx, l, &l.ref, in, l.read)
	if read != nil {
		read = read.With(in.Suite, config.TemplateValues{Environment: l.options.LookupEnv, User: l.options.User})
	}
	return read, err
}

func (l *library) Deploy(ctx context.Context, in e2eimage.DeployInput) (*e2eimage.DeployResult, error) {
	changed := in.Changed
	in.Changed = nil
	result, err := answer(ctx, l, &l.deploy, in, l.deployed)
	if result != nil && changed != nil {
		for _, one := range result.Workloads {
			changed(one)
		}
	}
	return result, err
}

func (l *library) Clean(ctx context.Context, in e2eimage.CleanInput) (*e2eimage.CleanResult, error) {
	return answer(ctx, l, &l.clean, in, l.cleaned)
}

func (l *library) Diagnose(_ context.Context, in e2eimage.DiagnoseInput) (*e2eimage.DiagnoseResult, error) {
	l.diagnose = append(l.diagnose, in)
	return &e2eimage.DiagnoseResult{Dir: in.Dir}, nil
}

func (l *library) Known(context.Context, e2eimage.KnownInput) (*e2eimage.KnownResult, error) {
	return &e2eimage.KnownResult{Names: l.known}, nil
}

// answer keeps a verb's input and gives its result; a verb that nothing was set for finds
// nothing.
func answer[In, Out any](ctx context.Context, l *library, calls *[]In, in In, result *Out) (*Out, error) {
	*calls = append(*calls, in)
	if l.during != nil {
		l.during(ctx)
	}
	if l.err != nil && !l.partly {
		return nil, l.err
	}
	if result == nil {
		result = new(Out)
	}
	return result, l.err
}

func (l *library) calls() int {
	return len(l.load) + len(l.tag) + len(l.build) + len(l.up) + len(l.render) + len(l.status) + len(l.verify) +
		len(l.ref) + len(l.deploy) + len(l.clean)
}

// console is a terminal with one command in it.
type console struct {
	t           *testing.T
	dir         string
	environment map[string]string
	library     library
	out, errOut bytes.Buffer
	// screen is what stdout seems to be.
	screen screen
}

func newConsole(t *testing.T) *console {
	t.Helper()
	return &console{t: t, dir: t.TempDir(), environment: map[string]string{}}
}

// write puts a file into the working folder.
func (c *console) write(name, content string) {
	c.t.Helper()
	path := filepath.Join(c.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		c.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		c.t.Fatal(err)
	}
}

// config makes a text the e2eimage.yaml of the working folder, unless it is "".
func (c *console) config(text string) {
	c.t.Helper()
	if text != "" {
		c.write("e2eimage.yaml", text)
	}
}

// run carries out a command line of words and returns its exit code.
func (c *console) run(line string) int {
	c.t.Helper()
	return c.runArgs(c.t.Context(), strings.Fields(line)...)
}

func (c *console) runArgs(ctx context.Context, args ...string) int {
	c.t.Helper()
	a := newApp(Host{
		Streams: genericiooptions.IOStreams{In: strings.NewReader(""), Out: &c.out, ErrOut: &c.errOut},
		Environment: func(key string) (string, bool) {
			value, ok := c.environment[key]
			return value, ok
		},
		Dir: c.dir,
	})
	a.connect = func(options e2eimage.Options) (verbs, error) {
		c.library.options = options
		return &c.library, nil
	}
	a.screen = func(io.Writer) screen { return c.screen }
	return run(ctx, a, args)
}

// done runs a command line that has to succeed.
func (c *console) done(line string) {
	c.t.Helper()
	if code := c.run(line); code != exitDone {
		c.t.Fatalf("%s: exit code %d\n%s", line, code, c.errOut.String())
	}
}

// fails runs a command line that has to fail with an exit code and with words on stderr, and
// without anything on stdout.
func (c *console) fails(line string, exit int, says ...string) {
	c.t.Helper()
	printed := c.out.Len()
	if code := c.run(line); code != exit || c.out.Len() > printed {
		c.t.Errorf("%s: exit code %d, want %d, stdout %s", line, code, exit, c.out.String())
	}
	for _, words := range says {
		if !strings.Contains(c.errOut.String(), words) {
			c.t.Errorf("%s: the error does not say %q:\n%s", line, words, c.errOut.String())
		}
	}
}

// offered is what the shell is offered for the last word of a line, which may be empty.
func (c *console) offered(line string) []string {
	c.t.Helper()
	if code := c.runArgs(c.t.Context(), strings.Split("__complete "+line, " ")...); code != exitDone {
		c.t.Fatalf("%s: exit code %d\n%s", line, code, c.errOut.String())
	}
	lines := strings.Split(strings.TrimSpace(c.out.String()), "\n")
	if last := lines[len(lines)-1]; last != ":4" {
		c.t.Errorf("%s: file names are offered: %s", line, last)
	}
	return lines[:len(lines)-1]
}

// golden compares text with testdata/name.golden, or writes it with -update.
func golden(t *testing.T, name, text string) {
	t.Helper()
	path := filepath.Join("testdata", name+".golden")
	if *update {
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatalf("%v\nwrite it with: go test ./internal/cli -update", err)
	}
	if diff := cmp.Diff(string(want), text); diff != "" {
		t.Errorf("%s (-want +got):\n%s\nif that is right: go test ./internal/cli -update", path, diff)
	}
}
