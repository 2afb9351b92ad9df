package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
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
	Name      string   `json:"name"`
	Consumer  string   `json:"consumer"`
	Namespace string   `json:"namespace"`
	Image     string   `json:"image"`
	ImageID   string   `json:"imageID"`
	Source    string   `json:"source"`
	Platform  string   `json:"platform"`
	Nodes     []string `json:"nodes"`
	// Changed is false when record and nodes said so already.
	Changed bool `json:"changed"`
}

// Tag decides the recorded image of every image of the suite once, adds it on
// every node and records it. Nothing is recorded when one node fails, and what
// this run added is taken back. Running it again with the same content changes
// nothing.
func (c *Client) Tag(ctx context.Context, in TagInput) (*TagResult, error) {
	run, err := c.beginTag(ctx, in)
	if err != nil {
		return nil, err
	}
	if in.DryRun {
		return run.plan(ctx)
	}
	if in.CreateNamespace {
		if err := run.createNamespace(ctx); err != nil {
			return nil, err
		}
	}
	err = run.carryOut(ctx)
	if err == nil {
		return run.result(), nil
	}
	if undo := run.undo(ctx); undo != nil {
		err = errors.Join(err, undo)
	}
	return nil, classify(err)
}

// tagRun is one run of Tag: what it wants, and what was decided.
type tagRun struct {
	client    *Client
	in        TagInput
	kube      *kube
	cluster   *kindnode.Cluster
	consumer  string
	states    map[string]kindnode.State
	wishes    []record.Wish
	sources   map[string]string
	decisions []record.Decision
	changed   map[string]bool
}

// beginTag looks at the cluster and works out what is wanted; it changes nothing.
func (c *Client) beginTag(ctx context.Context, in TagInput) (*tagRun, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	cluster, err := c.find(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	consumer := in.Suite.Consumer
	if consumer == "" {
		consumer = cluster.Name
	}
	run := &tagRun{
		client: c, in: in, kube: kube, cluster: cluster, consumer: consumer,
		sources: map[string]string{}, changed: map[string]bool{},
	}
	end := c.report.Start(fmt.Sprintf("ask %d nodes of %s", len(cluster.Nodes), cluster.Name))
	run.states, err = cluster.Probe(ctx)
	end(err)
	if err != nil {
		return nil, err
	}
	if err := kube.checkRightCluster(ctx, cluster, run.states); err != nil {
		return nil, err
	}
	return run, run.wish(ctx)
}

// wish resolves every source and draws the tags. All mistakes come together.
func (r *tagRun) wish(ctx context.Context) error {
	records, err := r.kube.records.Get(ctx, r.kube.namespace, r.consumer)
	if err != nil {
		return err
	}
	var mistakes []error
	for _, image := range r.in.Suite.Images {
		if image.External != "" {
			continue
		}
		wish, err := r.wishFor(image, records)
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		r.wishes = append(r.wishes, wish)
	}
	return classify(errors.Join(mistakes...))
}

func (r *tagRun) wishFor(image config.Image, records *record.Set) (record.Wish, error) {
	evidence, err := records.Entry(image.Name)
	if err != nil {
		return record.Wish{}, err
	}
	source := image.Source
	if source == "" && evidence != nil {
		source = evidence.Source
	}
	imageID, err := resolveSource(image.Name, source, r.cluster, r.states)
	if err != nil {
		return record.Wish{}, err
	}
	repository, err := targetRepository(image.Name, image.Repository, config.DefaultRepository(image.Name), imageID, r.states)
	if err != nil {
		return record.Wish{}, err
	}
	tag := image.Tag
	if tag == "" {
		if tag, err = r.draw(image); err != nil {
			return record.Wish{}, err
		}
	}
	target, err := ociimage.Join(repository, tag)
	if err != nil {
		return record.Wish{}, &UsageError{fmt.Errorf("%s: %w", image.Name, err)}
	}
	r.sources[image.Name] = source
	return record.Wish{
		Name: image.Name, ImageID: imageID, Image: target,
		Exact: image.Tag != "", New: r.in.New, Repository: image.Repository,
	}, nil
}

func (r *tagRun) draw(image config.Image) (string, error) {
	values := r.in.Values
	values.Consumer, values.Name = r.consumer, image.Name
	if values.Random == "" {
		random, err := config.NewRandom()
		if err != nil {
			return "", err
		}
		values.Random = random
	}
	tag, err := config.DrawTag(image.TagTemplate, values)
	if err != nil {
		return "", &UsageError{fmt.Errorf("%s: %w", image.Name, err)}
	}
	return tag, nil
}

// carryOut claims, tags the nodes and records.
func (r *tagRun) carryOut(ctx context.Context) error {
	if err := r.claim(ctx); err != nil {
		return err
	}
	if err := r.tagNodes(ctx); err != nil {
		return err
	}
	// From here on the tag is true on every node. A cancelled run still has
	// the choice: not recorded means undone.
	if err := ctx.Err(); err != nil {
		return context.Cause(ctx)
	}
	return r.complete(ctx)
}

func (r *tagRun) claim(ctx context.Context) error {
	return r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		return r.decide(set)
	})
}

// decide fills in the decisions from a set, writing claims into it.
func (r *tagRun) decide(set *record.Set) error {
	r.decisions = r.decisions[:0]
	clear(r.changed)
	var mistakes []error
	for _, wish := range r.wishes {
		decision, err := set.Claim(wish, r.client.holder, ociimage.Repository)
		if err == nil {
			err = r.checkTarget(decision)
		}
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		r.changed[wish.Name] = decision.Recorded == nil
		r.decisions = append(r.decisions, decision)
	}
	return errors.Join(mistakes...)
}

func (r *tagRun) owner(name string) string {
	return record.Owner(r.kube.namespace, r.consumer, name)
}

// checkTarget refuses a tag that a node has for something else, as far as the
// probe can tell; the nodes check again when they tag.
func (r *tagRun) checkTarget(decision record.Decision) error {
	for _, node := range sortedKeys(r.states) {
		state := r.states[node]
		err := r.checkHeld(decision, node, state.ID(decision.Image), state.Owners[decision.Image])
		if err != nil {
			return err
		}
	}
	return nil
}

func (r *tagRun) checkHeld(decision record.Decision, node, imageID, owner string) error {
	switch {
	case imageID != "" && imageID != decision.ImageID:
		return &InconsistentError{fmt.Errorf("%s: on node %s %s is another image already, %s instead of %s\nchoose another --tag or --repository",
			decision.Name, node, decision.Image, ociimage.ShortID(imageID), ociimage.ShortID(decision.ImageID))}
	case owner != "" && owner != r.owner(decision.Name):
		return &InconsistentError{fmt.Errorf("%s: on node %s %s belongs to another record, %s (namespace.consumer.name)\nchoose another --tag or --repository",
			decision.Name, node, decision.Image, owner)}
	}
	return nil
}

// tagNodes adds what is missing, in one exec on each node that lacks something.
func (r *tagRun) tagNodes(ctx context.Context) error {
	lacking := map[string]bool{}
	var ops []kindnode.TagOp
	for _, decision := range r.decisions {
		ops = append(ops, kindnode.TagOp{ImageID: decision.ImageID, Target: decision.Image, Owner: r.owner(decision.Name)})
		for node, state := range r.states {
			if state.ID(decision.Image) == "" {
				lacking[node] = true
				r.changed[decision.Name] = true
			}
		}
	}
	if len(lacking) == 0 {
		return nil
	}
	nodes := sortedKeys(lacking)
	end := r.client.report.Start(fmt.Sprintf("tag on %s", strings.Join(nodes, ", ")))
	done, err := r.cluster.Tag(ctx, nodes, ops)
	if err == nil {
		err = r.checkTagged(done)
	}
	end(err)
	return err
}

// checkTagged holds what the nodes say against what was decided.
func (r *tagRun) checkTagged(done map[string][]kindnode.Tagged) error {
	var mistakes []error
	for _, node := range sortedKeys(done) {
		for i, tagged := range done[node] {
			decision := r.decisions[i]
			if tagged.ImageID == "" {
				mistakes = append(mistakes, fmt.Errorf("%s: node %s has the tag %s, but its CRI does not list it", decision.Name, node, decision.Image))
				continue
			}
			if err := r.checkHeld(decision, node, tagged.ImageID, tagged.Owner); err != nil {
				mistakes = append(mistakes, err)
			}
		}
	}
	return errors.Join(mistakes...)
}

// complete records what is now true, and takes away the tags of claims that
// nobody finished.
func (r *tagRun) complete(ctx context.Context) error {
	release := map[string][]string{}
	err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		clear(release)
		var mistakes []error
		for _, decision := range r.decisions {
			if decision.Recorded != nil {
				continue
			}
			tags, err := set.Complete(record.Fact{
				Name: decision.Name, Image: decision.Image, ImageID: decision.ImageID,
				Source: r.sources[decision.Name], Platform: r.platform(), Nodes: r.cluster.Names(),
			})
			mistakes = append(mistakes, err)
			if len(tags) > 0 {
				release[decision.Name] = tags
			}
		}
		return errors.Join(mistakes...)
	})
	if err != nil {
		return err
	}
	if err := r.client.release(ctx, r.kube, r.cluster, r.consumer, release); err != nil {
		r.client.report.Warn(fmt.Sprintf("tags of an unfinished run stay on nodes for now: %v", err))
	}
	return nil
}

// undo takes back what this run claimed and tagged. It has its own bounded
// context: the run's own may be what ended it.
func (r *tagRun) undo(ctx context.Context) error {
	if len(r.decisions) == 0 {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), undoLimit)
	defer cancel()
	release := map[string][]string{}
	err := r.kube.records.Update(ctx, r.kube.namespace, r.consumer, func(set *record.Set) error {
		clear(release)
		for _, decision := range r.decisions {
			if decision.Recorded != nil {
				continue
			}
			tag, err := set.Abandon(decision.Name, decision.Image, r.client.holder)
			if err != nil {
				return err
			}
			if tag != "" {
				release[decision.Name] = []string{tag}
			}
		}
		return nil
	})
	if err == nil {
		err = r.client.release(ctx, r.kube, r.cluster, r.consumer, release)
	}
	if err != nil {
		return fmt.Errorf("undoing was not possible: %w\nwhat is left is noted in the record; finish with: kubectl e2eimage clean -n %s --consumer %s %s",
			err, r.kube.namespace, r.consumer, strings.Join(r.names(), " "))
	}
	return nil
}

func (r *tagRun) names() []string {
	names := make([]string, 0, len(r.wishes))
	for _, wish := range r.wishes {
		names = append(names, wish.Name)
	}
	return names
}

func (r *tagRun) platform() string {
	for _, node := range sortedKeys(r.states) {
		return r.states[node].Platform
	}
	return ""
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
	return r.result(), nil
}

func (r *tagRun) result() *TagResult {
	result := &TagResult{Images: []TaggedImage{}}
	for _, decision := range r.decisions {
		result.Images = append(result.Images, TaggedImage{
			Name: decision.Name, Consumer: r.consumer, Namespace: r.kube.namespace,
			Image: decision.Image, ImageID: decision.ImageID, Source: r.sources[decision.Name],
			Platform: r.platform(), Nodes: r.cluster.Names(), Changed: r.changed[decision.Name],
		})
	}
	return result
}

func (r *tagRun) createNamespace(ctx context.Context) error {
	namespace := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: r.kube.namespace}}
	_, err := r.kube.CoreV1().Namespaces().Create(ctx, namespace, metav1.CreateOptions{FieldManager: record.FieldManager})
	if err != nil && !apierrors.IsAlreadyExists(err) {
		return fmt.Errorf("namespace %q: %w", r.kube.namespace, err)
	}
	return nil
}
