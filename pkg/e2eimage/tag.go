package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// TagInput is what Tag needs.
type TagInput struct {
	// Suite says which images, for which consumer, in which cluster.
	Suite config.Suite
	// Values for the tag template; what is not said is filled in, and Consumer, Name and
	// Random always are.
	Values config.TemplateValues
	// New draws a new tag although the content has one already.
	New bool
	// Use decides between lock and cluster where they disagree; "" stops then.
	Use Use
	// AllowStale goes on although the host's image is not the loaded one.
	AllowStale bool
	// CreateNamespace makes the namespace when it does not exist.
	CreateNamespace bool
	// DryRun decides and reports but writes nothing anywhere.
	DryRun bool
}

// TagResult is what Tag recorded, in the order of the suite's images.
type TagResult struct {
	Images []TaggedImage `json:"images"`
}

// TaggedImage is a recorded image.
type TaggedImage struct {
	Name      string `json:"name"`
	Consumer  string `json:"consumer"`
	Namespace string `json:"namespace"`
	Image     string `json:"image"`
	// Planned is what a dry run says in place of an Image that is not decided yet, such as
	// localhost/datastorage:suite-<random>.
	Planned  string   `json:"planned,omitempty"`
	ImageID  string   `json:"imageID"`
	Source   string   `json:"source"`
	Platform string   `json:"platform"`
	Nodes    []string `json:"nodes"`
	// Digest of the index or manifest in the registry that nodes pull it from, "" for an image
	// that is on the nodes themselves.
	Digest string `json:"digest,omitempty"`
	// Changed is false when record and nodes said so already.
	Changed bool `json:"changed"`
}

// Tag decides the recorded image of every image of the suite once, adds it on
// every node and records it. Nothing is recorded when one node fails, and what
// this run added is taken back. Running it again with the same content changes
// nothing.
func (c *Client) Tag(ctx context.Context, in TagInput) (*TagResult, error) {
	return verb(ctx, in, c.tag)
}

func (c *Client) tag(ctx context.Context, in TagInput) (*TagResult, error) {
	var err error
	if in.Suite, err = inCluster(in.Suite); err != nil {
		return nil, err
	}
	if in.Suite, err = c.settle(ctx, in.Suite); err != nil {
		return nil, err
	}
	run := c.newTagRun(ctx, in)
	// What an engine says of a source takes as long as finding the nodes: both at once.
	var asked *asking
	host, stop := context.WithCancel(ctx)
	defer func() { stop(); _ = asked.wait() }()
	target, err := c.openTarget(ctx, in.Suite, func(target *target) { asked = run.beginAsking(host, target) })
	if err != nil {
		return nil, err
	}
	defer target.place.Close()
	return run.tag(ctx, asked)
}

// tagIn is Tag where the cluster is known.
func (c *Client) tagIn(ctx context.Context, in TagInput, target *target) (*TagResult, error) {
	run := c.newTagRun(ctx, in)
	asked := run.beginAsking(ctx, target)
	defer func() { _ = asked.wait() }()
	return run.tag(ctx, asked)
}

func (c *Client) newTagRun(ctx context.Context, in TagInput) *tagRun {
	in.Values = inDryRun(in.DryRun, c.facts(ctx, in.Suite, in.Values))
	return &tagRun{client: c, in: in}
}

// tagRun is one run of Tag.
type tagRun struct {
	client *Client
	in     TagInput
	*target
	// records are those that were there when the run began.
	records *record.Set
	// images are those that get tags, in the order of the suite.
	images []*imageTag
	states kindnode.States
	// ca identifies the cluster.
	ca string
}

// imageTag is one image on the way to its tag, filled in step by step.
type imageTag struct {
	image config.Image
	// entry is what the lock says, where it applies; compared is that with what record and
	// host say.
	entry    *lock.Entry
	compared *comparison

	// had is set when it was recorded before, useCluster when the cluster was said to be right.
	had, useCluster bool
	source          string
	wish            record.Wish

	// decision is of no name as long as there is none.
	decision record.Decision
	// changed is set when record or nodes did not say so already.
	changed bool

	// onNodes is set when nodes may have the decided tag by this run, movedFrom are the image
	// IDs that a shared tag stood for there before.
	onNodes   bool
	movedFrom []string
}

// tag is the main line: ask, decide, claim, name the image on the nodes, record.
func (r *tagRun) tag(ctx context.Context, asked *asking) (*TagResult, error) {
	// What nodes, host and record say.
	var err error
	r.states, err = r.client.ask(ctx, r.place, imageStore.Probe)
	if err = cmp.Or(err, asked.wait()); err != nil {
		return nil, err
	}
	if err := r.kube.checkRightCluster(ctx, r.place, r.states); err != nil {
		return nil, err
	}
	if r.ca, err = r.kube.fingerprint(ctx, r.states); err != nil {
		return nil, err
	}
	if err := r.fresh(ctx); err != nil {
		return nil, err
	}
	// What is wanted.
	if err := r.wish(ctx); err != nil {
		return nil, err
	}
	r.warnOfSameSource()
	if r.in.DryRun {
		return r.plan(ctx)
	}
	if r.in.CreateNamespace {
		if err := r.createNamespace(ctx); err != nil {
			return nil, err
		}
	}
	// What is done, or undone.
	if err := r.carryOut(ctx); err != nil {
		undone, undo := r.undo(ctx)
		err = errors.Join(err, undo)
		if len(undone) > 0 {
			err = &UndoneError{Images: undone, Err: err}
		}
		return nil, err
	}
	r.warnOfOtherConsumers(ctx)
	return r.result(), r.note(ctx)
}

// carryOut claims, tags the nodes and records.
func (r *tagRun) carryOut(ctx context.Context) error {
	if err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, r.decide); err != nil {
		return err
	}
	for _, missing := range r.missing() {
		adding := r.client.report.Start(step("Adding", "Added",
			fmt.Sprintf("%s to %s", progress.Counted(len(missing.ops), "tag"), nodesOf(missing.parts))))
		done, err := r.place.Tag(ctx, missing.parts, missing.ops)
		if err == nil {
			err = r.checkTagged(missing.images, done)
		}
		adding.End(err)
		if err != nil {
			return r.rootCause(ctx, err)
		}
	}
	// From here on the tag is true on every node. A cancelled run still has
	// the choice: not recorded means undone.
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return r.complete(ctx)
}

// plan is what a dry run answers: decided as usual, on a set that is not written.
func (r *tagRun) plan(ctx context.Context) (*TagResult, error) {
	set, err := r.kube.records.Get(ctx, r.kube.namespace, r.consumer)
	if err != nil {
		return nil, err
	}
	if err := r.decide(set); err != nil {
		return nil, err
	}
	result := r.result()
	for i, image := range r.images {
		decision := image.decision
		if one := &result.Images[i]; decision.Recorded == nil &&
			(image.entry == nil || image.entry.Image != decision.Image) {
			one.Image, one.Planned = "", planned(decision.Image)
		}
	}
	return result, nil
}

func (r *tagRun) result() *TagResult {
	result := &TagResult{Images: []TaggedImage{}}
	for _, image := range r.images {
		result.Images = append(result.Images, TaggedImage{
			Name: image.decision.Name, Consumer: r.consumer, Namespace: r.kube.namespace,
			Image: image.decision.Image, ImageID: image.decision.ImageID, Source: image.source,
			Platform: r.states.Platform(), Nodes: r.nodesOf(image), Digest: digestIn(r.pulledAs(image)), Changed: image.changed,
		})
	}
	return result
}

func (r *tagRun) createNamespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.kube.namespace}}
	_, err := r.kube.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{FieldManager: record.FieldManager})
	if apierrors.IsForbidden(err) {
		// Who may not create namespaces may have one that exists.
		if _, failed := r.kube.CoreV1().Namespaces().Get(ctx, r.kube.namespace, metav1.GetOptions{}); failed == nil ||
			apierrors.IsForbidden(failed) {
			return nil
		}
	}
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("namespace %q: %w", r.kube.namespace, err)
	}
	return nil
}
