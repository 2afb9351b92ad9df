package e2eimage

import (
	"cmp"
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/artifacts"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// DiagnoseInput is what Diagnose needs.
type DiagnoseInput struct {
	// Suite as Status has it. The workloads that its images name are looked at, whatever
	// they run.
	Suite config.Suite
	// Dir gets a new folder for each failure, called CONSUMER-TIME. It is made where it is
	// not there, and what is in it stays.
	Dir string
	// Failure is what is to be explained, such as a verb's error; nil leaves it out. The
	// workloads that it is about are looked at, too.
	Failure error
	// Timeout bounds all of it; 0 is DefaultDiagnoseTimeout.
	Timeout time.Duration
}

// DefaultDiagnoseTimeout is how long what explains a failure is collected.
const DefaultDiagnoseTimeout = 30 * time.Second

// DiagnoseResult is the folder that was written.
type DiagnoseResult struct {
	// Dir is the new folder, and Files what is in it, relative to it and sorted.
	Dir   string   `json:"dir"`
	Files []string `json:"files"`
	// Missing are parts that could not be had, which the folder's summary.txt names, too.
	Missing []MissingPart `json:"missing,omitempty"`
}

// MissingPart is something that could not be had, and why.
type MissingPart struct {
	Part string `json:"part"`
	Why  string `json:"why"`
}

// Diagnose writes what explains a failure into a folder: the record and the lock, what
// Status says, the suite's workloads and whatever runs its images with pods, events and
// logs, what the nodes have, and versions. What looks like a secret is masked, and
// Secrets and ConfigMaps of others are left out. A part that cannot be had is named; only a
// folder that cannot be made is an error. A ctx that has ended already, as after an
// interrupt, is no obstacle: Timeout bounds it then. Nothing else is changed.
func (c *Client) Diagnose(ctx context.Context, in DiagnoseInput) (*DiagnoseResult, error) {
	if ctx.Err() != nil {
		ctx = context.WithoutCancel(ctx)
	}
	return verb(ctx, in, c.diagnose)
}

func (in DiagnoseInput) check(m *mistakes) {
	m.suite(in.Suite)
	if in.Dir == "" {
		m.wrong("Dir", "is empty; say where the folder is to be")
	}
	if in.Timeout < 0 {
		m.wrong("Timeout", "%s must be 0 or more", in.Timeout)
	}
}

func (c *Client) diagnose(ctx context.Context, in DiagnoseInput) (*DiagnoseResult, error) {
	limit := cmp.Or(in.Timeout, DefaultDiagnoseTimeout)
	ctx, cancel := context.WithTimeoutCause(ctx, limit, fmt.Errorf("not collected after %s", limit))
	defer cancel()
	consumer, err := c.consumerOf(ctx, in.Suite)
	if err != nil {
		consumer = "e2eimage"
	}
	now := time.Now()
	folder, err := artifacts.Create(in.Dir, consumer+"-"+now.UTC().Format("20060102T150405Z"))
	if err != nil {
		return nil, fmt.Errorf("cannot make the folder for what explains it: %w", err)
	}
	collecting := c.report.Start(progress.Step{Doing: "Collecting what explains it"})
	run := &diagnosis{client: c.quiet(), in: in, folder: folder, consumer: consumer}
	run.collect(ctx)
	run.summary(now)
	result := &DiagnoseResult{Dir: folder.Path, Files: folder.Files()}
	if absolute, err := filepath.Abs(folder.Path); err == nil {
		result.Dir = absolute
	}
	for _, one := range folder.Lacking() {
		result.Missing = append(result.Missing, MissingPart(one))
	}
	said := "What explains it is in " + folder.Path
	if len(result.Missing) > 0 {
		said += fmt.Sprintf(", without %s that summary.txt names", progress.Counted(len(result.Missing), "part"))
	}
	collecting.Result(said)
	collecting.End(nil)
	return result, nil
}

// quiet is the client with nothing to tell.
func (c *Client) quiet() *Client {
	silent := *c
	silent.report = progress.Discard{}
	return &silent
}

// diagnosis is one run of Diagnose.
type diagnosis struct {
	client   *Client
	in       DiagnoseInput
	folder   *artifacts.Folder
	consumer string
	kube     *apiServer
	// sets are the records of the namespace that are the suite's.
	sets []*record.Set
}

// collect writes all parts, side by side.
func (d *diagnosis) collect(ctx context.Context) {
	d.locks()
	type part struct {
		name  string
		write func(context.Context) error
	}
	parts := []part{{"nodes", d.nodes}, {"versions of the engines", d.engines}}
	if kube, err := d.client.kube(d.in.Suite); err != nil {
		d.folder.Lack("all that the API server knows", err)
	} else {
		d.kube = kube
		d.records(ctx)
		parts = append(parts, part{"status", d.status}, part{"workloads", d.workloads},
			part{"versions of the nodes", d.nodeVersions})
	}
	var all sync.WaitGroup
	for _, one := range parts {
		all.Go(func() {
			if err := one.write(ctx); err != nil {
				d.folder.Lack(one.name, d.why(ctx, err))
			}
		})
	}
	all.Wait()
}

// why says that time ran out rather than what that broke.
func (d *diagnosis) why(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

// summary says what the folder is about, what is in it, and what is not.
func (d *diagnosis) summary(now time.Time) {
	var text strings.Builder
	line := func(format string, args ...any) { fmt.Fprintf(&text, format+"\n", args...) }
	line("consumer   %s", d.consumer)
	if d.kube != nil {
		line("namespace  %s", d.kube.namespace)
	}
	line("collected  %s on %s", now.UTC().Format(time.RFC3339), d.client.host)
	if d.in.Failure != nil {
		line("failed     %s\n\n%s", CodeOf(d.in.Failure), d.in.Failure)
	}
	line("\nFiles")
	for _, file := range d.folder.Files() {
		line("  %s", file)
	}
	if missing := d.folder.Lacking(); len(missing) > 0 {
		line("\nNot there")
		for _, one := range missing {
			line("  %s: %s", one.Part, one.Why)
		}
	}
	d.folder.Text("summary.txt", text.String())
}
