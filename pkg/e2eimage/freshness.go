package e2eimage

import (
	"context"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// stale makes a finding an error, or a warning where that is allowed.
func (c *Client) stale(err error, allowed bool) error {
	switch {
	case err == nil:
		return nil
	case allowed:
		c.report.Warn(err.Error())
		return nil
	}
	return &InconsistentError{fmt.Errorf("%w\nto go on anyway: --allow-stale", err)}
}

// warnUnknown says what could not be found out, and why: that is no reason to stop, but
// silence would pass for a yes.
func (c *Client) warnUnknown(ctx context.Context, what string, err error) {
	if ctx.Err() == nil {
		c.report.Warn(fmt.Sprintf("%s: %v", what, err))
	}
}

// unknown says that nobody could be asked, where that might matter.
func (c *Client) unknown(ctx context.Context, k *comparison, finding freshness.Finding) {
	switch {
	case !finding.HostSilent:
	case k.host.source == "":
		c.report.Warn(k.image.Name +
			": cannot tell whether it was rebuilt: neither the lock file nor the record names its source")
	case k.host.silence != nil:
		c.warnUnknown(ctx, fmt.Sprintf("%s: cannot tell whether %s was rebuilt", k.image.Name, k.host.source), k.host.silence)
	}
}

// older says what is newer than what is recorded, nil where nothing is: a finding in
// words, and in its last line what to type.
func (k *comparison) older(finding freshness.Finding, suite config.Suite) error {
	if finding.Relation != freshness.NotLoaded && finding.Relation != freshness.NotTagged &&
		finding.Relation != freshness.Foreign {
		return nil
	}
	wrong, fix := k.wrong(finding, suite)
	older := &Error{Code: CodeStale, Image: k.image.Name, Fix: fix}
	return older.says("%s: %s\n%s", k.image.Name, wrong, k.insteadOf(finding))
}

// wrong says what is, and what to do about it.
func (k *comparison) wrong(finding freshness.Finding, suite config.Suite) (wrong, fix string) {
	name := k.image.Name
	build := typed("build", name, suite)
	tag := "tag it: " + typed("tag", name, suite)
	switch {
	case finding.By == freshness.ByLock && (finding.Relation == freshness.NotTagged || k.entry.Loaded != nil):
		return "it was loaded, but not tagged", tag
	case finding.By == freshness.ByLock:
		return "it was built, but not loaded",
			"load and tag it: " + typed("load", name, suite) + " && " + typed("tag", name, suite)
	case finding.By == freshness.BySuite:
		return fmt.Sprintf("its source is now %s, which was not loaded", k.host.source), k.loadAndTag(suite)
	case finding.By == freshness.ByNodes:
		return fmt.Sprintf("another %s was loaded, but not tagged", k.host.source), "tag it: " + typed("tag", name, suite)
	}
	source := k.host.source + inEngine(finding.Newest.Engine)
	switch {
	case finding.Relation == freshness.Foreign:
		return fmt.Sprintf("suite %s overwrote the reference that both use, %s", k.host.Suite, source),
			"build and load this suite's image again; kubectl e2eimage build would keep the two apart"
	case finding.Relation == freshness.NotTagged:
		return source + " was loaded, but not tagged", tag
	case k.entry != nil && k.entry.Via == lock.ViaPrebuilt && k.entry.Built != nil:
		return source + " changed, and was not adopted again", "adopt it: " + build
	case k.entry != nil && k.host.source == k.image.Prebuilt:
		return source + " came after the build, whose place it takes",
			"adopt it: " + build + "\nor build once more: " + build + " --prebuilt=ignore"
	case k.entry != nil && k.entry.Built != nil:
		return source + " was rebuilt without kubectl e2eimage, and not loaded", "build it: " + build
	case k.evidence != nil && k.entry == nil:
		return source + " was rebuilt, but not loaded", k.loadAndTag(suite)
	}
	return source + " was rebuilt, but not loaded", "load it: " + typedLoad(k.image, k.host.source, suite)
}

// insteadOf says what there is now, and what is recorded.
func (k *comparison) insteadOf(finding freshness.Finding) string {
	switch finding.By {
	case freshness.ByLock:
		return fmt.Sprintf("the lock has %s, %s; %s",
			ociimage.ShortID(orNoID(k.entry.ImageID, k.entry.EngineID)), lockedHow(k.entry), k.recorded())
	case freshness.BySuite:
		return k.recorded()
	case freshness.ByNodes:
		return fmt.Sprintf("the nodes have %s as %s; %s", orAnother(finding.Newest.ImageID), k.host.source, k.recorded())
	}
	return fmt.Sprintf("it is %s%s, not %s",
		orAnother(finding.Newest.ImageID, finding.Newest.EngineID), k.madeWhen(), k.instead())
}

// recorded says what is recorded.
func (k *comparison) recorded() string {
	if k.evidence == nil {
		return "nothing is recorded"
	}
	return fmt.Sprintf("recorded is %s (%s, %s)", k.evidence.Image, ociimage.ShortID(k.evidence.ImageID),
		ago(k.evidence.Recorded))
}

// instead is what the host was to have.
func (k *comparison) instead() string {
	switch {
	case k.entry != nil:
		return fmt.Sprintf("%s (%s)", ociimage.ShortID(orNoID(k.entry.ImageID, k.entry.EngineID)), lockedHow(k.entry))
	case k.evidence != nil:
		return fmt.Sprintf("%s (recorded %s as %s)", ociimage.ShortID(k.evidence.ImageID), ago(k.evidence.Recorded),
			k.evidence.Image)
	}
	return "what the nodes have under that name"
}

func (k *comparison) madeWhen() string {
	if k.host.made.IsZero() {
		return ""
	}
	return fmt.Sprintf(" (made %s)", ago(&metav1.Time{Time: k.host.made}))
}

func (k *comparison) loadAndTag(suite config.Suite) string {
	said := ""
	if !inFile(k.image, suite) {
		said = sourced(k.host.source)
	}
	return "load and tag it: " + typedLoad(k.image, k.host.source, suite) + " && " + typed("tag", k.image.Name, suite) +
		said
}

// typedLoad is the command that loads an image, of which the suite may not say the source.
func typedLoad(image config.Image, source string, suite config.Suite) string {
	if inFile(image, suite) {
		return typed("load", image.Name, suite)
	}
	return typed("load", image.Name, suite) + sourced(source)
}

// inFile tells whether e2eimage.yaml says where the image comes from: else it has to be
// typed each time.
func inFile(image config.Image, suite config.Suite) bool {
	return suite.File != "" && image.Source != ""
}

func inEngine(name string) string {
	if name == "" {
		return ""
	}
	return " in " + name
}

// orAnother is an ID for people, where there is one.
func orAnother(ids ...string) string {
	id := orNoID(ids...)
	if id == orNoID() {
		return "another image"
	}
	return ociimage.ShortID(id)
}

func orNoID(ids ...string) string {
	for _, id := range ids {
		if id != "" {
			return id
		}
	}
	return "an image"
}

// checkTree tells whether the files that the image was built from, or the images that it
// was built on, changed since.
func (c *Client) checkTree(ctx context.Context, image config.Image, entry *lock.Entry, lock *locks,
	suite config.Suite,
) error {
	if entry == nil || entry.Tree == nil || image.Build == nil || suite.Freshness == config.FreshnessOff {
		return nil
	}
	what, err := c.changedSince(ctx, image, entry, lock)
	if err != nil {
		c.warnUnknown(ctx, fmt.Sprintf("%s: cannot tell whether its files changed since the build", image.Name), err)
	}
	if what == "" {
		return nil
	}
	from := ""
	if entry.Commit != "" {
		from = " at commit " + entry.Commit[:min(len(entry.Commit), 12)]
	}
	old := &Error{Code: CodeStale, Image: image.Name, Fix: "build it: " + typed("build", image.Name, suite)}
	old.says("%s: %s changed since it was built %s%s", image.Name, what, ago(entry.Built), from)
	if suite.Freshness == config.FreshnessStrict {
		return old
	}
	c.report.Warn(old.Error())
	return nil
}

// asProblem is a finding as status shows it: in one line, and a command that can be typed.
func asProblem(name string, err error) Problem {
	var lines []string
	for line := range strings.SplitSeq(err.Error(), "\n") {
		lines = append(lines, strings.Join(strings.Fields(line), " "))
	}
	last := len(lines) - 1
	text := strings.Join(lines[:last], "; ")
	_, mend, isCommand := strings.Cut(lines[last], ": ")
	if !isCommand {
		text += "; " + lines[last]
	}
	if one, or, isChoice := strings.Cut(mend, ", or "); isChoice {
		mend, text = one, text+"; if the cluster is right, end the command with "+or
	}
	return Problem{State: StateStale, Text: strings.TrimPrefix(text, name+": "), mend: mend}
}
