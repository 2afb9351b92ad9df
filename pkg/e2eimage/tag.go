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
)

// TagInput is what Tag needs.
type TagInput struct {
	// Suite says which images, for which consumer, in which cluster.
	Suite config.Suite
	// Values for the tag template; Consumer, Name and Random are filled in.
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
	run := c.newTagRun(in)
	// What an engine says of a source takes as long as finding the nodes: both at once.
	asking, stop := context.WithCancel(ctx)
	defer run.waitForHost()
	defer stop()
	target, err := c.openTarget(ctx, in.Suite, func(target *target) { run.begin(asking, target) })
	if err != nil {
		return nil, err
	}
	defer target.cluster.Close()
	return run.tag(ctx, target.cluster)
}

// tagIn is Tag where the cluster is known.
func (c *Client) tagIn(ctx context.Context, in TagInput, target *target) (*TagResult, error) {
	run := c.newTagRun(in)
	run.begin(ctx, target)
	defer run.waitForHost()
	return run.tag(ctx, target.cluster)
}

func (c *Client) newTagRun(in TagInput) *tagRun {
	in.Values = inDryRun(in.DryRun, in.Values)
	return &tagRun{
		client: c, in: in, sources: map[string]string{}, changed: map[string]bool{}, useCluster: map[string]bool{},
		moved: map[string]bool{}, had: map[string]bool{}, entries: map[string]*lock.Entry{},
		compared: map[string]*comparison{},
	}
}

// begin starts to ask lock, record and host. The target need not have its nodes yet.
func (r *tagRun) begin(ctx context.Context, target *target) {
	r.kube, r.consumer, r.lock = target.kube, target.consumer, target.lock
	r.host = make(chan error, 1)
	go func() {
		defer close(r.host)
		r.host <- r.askHost(ctx)
	}()
}

// waitForHost returns when what begin started has ended.
func (r *tagRun) waitForHost() {
	if r.host != nil {
		for range r.host {
		}
	}
}

// tag does what is asked on the nodes.
func (r *tagRun) tag(ctx context.Context, cluster *kindnode.Cluster) (*TagResult, error) {
	r.cluster = cluster
	if err := r.look(ctx); err != nil {
		return nil, err
	}
	if r.in.DryRun {
		return r.plan(ctx)
	}
	if r.in.CreateNamespace {
		if err := r.createNamespace(ctx); err != nil {
			return nil, err
		}
	}
	err := r.carryOut(ctx)
	if err == nil {
		r.alike()
		r.besides(ctx)
		return r.result(), r.note(ctx)
	}
	if undo := r.undo(ctx); undo != nil {
		err = errors.Join(err, undo)
	}
	return nil, classify(err)
}

// tagRun is one run of Tag: what it wants, and what was decided.
type tagRun struct {
	client   *Client
	in       TagInput
	kube     *kube
	cluster  *kindnode.Cluster
	consumer string
	lock     *locks
	// host says whether lock, record and host could be asked, once, when that has ended.
	host chan error
	// ca identifies the cluster.
	ca string
	// entries are what the lock says of the images, where it applies.
	entries map[string]*lock.Entry
	// compared are the images with what lock, record and host say of them.
	compared map[string]*comparison
	// records are those that were there when the run began.
	records   *record.Set
	states    kindnode.States
	wishes    []record.Wish
	sources   map[string]string
	decisions []record.Decision
	changed   map[string]bool
	// useCluster are the images of which the cluster is right.
	useCluster map[string]bool
	// had are the images that were recorded before.
	had map[string]bool
	// moved are the image IDs that shared tags stood for before.
	moved map[string]bool
	// users know what uses tags, once that was asked.
	users *users
	// tagging is set when nodes may have the decided tags.
	tagging bool
}

// look asks nodes, host and record, and works out what is wanted; it changes nothing.
func (r *tagRun) look(ctx context.Context) error {
	var err error
	r.states, err = r.client.ask(ctx, r.cluster, (*kindnode.Cluster).Probe)
	if err = cmp.Or(err, <-r.host); err != nil {
		return err
	}
	if err := r.kube.checkRightCluster(ctx, r.cluster, r.states); err != nil {
		return err
	}
	if err := r.fresh(ctx); err != nil {
		return err
	}
	return r.wish(ctx)
}

// carryOut claims, tags the nodes and records.
func (r *tagRun) carryOut(ctx context.Context) error {
	if err := r.claim(ctx); err != nil {
		return err
	}
	if err := r.tagNodes(ctx); err != nil {
		return r.becauseOf(ctx, err)
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
		return nil, classify(err)
	}
	result := r.result()
	for i, decision := range r.decisions {
		entry := r.entries[decision.Name]
		if one := &result.Images[i]; decision.Recorded == nil && (entry == nil || entry.Image != decision.Image) {
			one.Image, one.Planned = "", planned(decision.Image)
		}
	}
	return result, nil
}

func (r *tagRun) result() *TagResult {
	result := &TagResult{Images: []TaggedImage{}}
	for _, decision := range r.decisions {
		result.Images = append(result.Images, TaggedImage{
			Name: decision.Name, Consumer: r.consumer, Namespace: r.kube.namespace,
			Image: decision.Image, ImageID: decision.ImageID, Source: r.sources[decision.Name],
			Platform: r.states.Platform(), Nodes: r.cluster.Names(), Changed: r.changed[decision.Name],
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
