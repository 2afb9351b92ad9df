package e2eimage

import (
	"context"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// StatusInput is what Status needs.
type StatusInput struct {
	// Suite says which images; one without images means all that are recorded in
	// the namespace, for its consumer if it has one.
	Suite config.Suite
	// AllNamespaces shows the records of all namespaces instead of one; then the suite's
	// images and consumer only choose among them.
	AllNamespaces bool
}

// Status compares records, lock, host, nodes, workloads and running pods. It reads
// each of them once, however many records there are, and changes nothing.
func (c *Client) Status(ctx context.Context, in StatusInput) (*StatusResult, error) {
	return verb(ctx, in, c.status)
}

func (c *Client) status(ctx context.Context, in StatusInput) (*StatusResult, error) {
	return c.compareAll(ctx, in, false)
}

// compareAll is Status; proving misses what runs, too.
func (c *Client) compareAll(ctx context.Context, in StatusInput, proving bool) (*StatusResult, error) {
	var err error
	if in.Suite, err = inCluster(in.Suite); err != nil {
		return nil, err
	}
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	run := &statusRun{client: c, in: in, kube: kube, engines: c.newFinder(), proving: proving}
	if in.AllNamespaces {
		run.sets, run.all, err = kube.setsEverywhere(ctx, in.Suite)
	} else {
		run.sets, run.all, err = kube.setsAmong(ctx, in.Suite)
	}
	if err != nil {
		return nil, err
	}
	place, states, err := c.inUse(ctx, kube, func() (*place, error) {
		place, err := c.openRecorded(ctx, kube, in.Suite, run.sets, func(_ *record.Set, name string) bool {
			return run.wanted(name)
		})
		if err == nil {
			place.asker.everywhere = in.AllNamespaces
		}
		return place, err
	})
	if err != nil {
		return nil, err
	}
	defer place.Close()
	run.states = states
	if consumers := consumersOf(run.all); in.Suite.Consumer == "" && len(consumers) == 1 && !in.AllNamespaces {
		run.in.Suite.Hints.Only = consumers[0]
	}
	run.recordedAs = ownersOf(run.all)
	return run.report(ctx)
}

// ownersOf are the records that have tags, by tag.
func ownersOf(sets []*record.Set) map[string]string {
	owners := map[string]string{}
	for _, set := range sets {
		for _, name := range set.Names() {
			if evidence, err := set.Entry(name); err == nil && evidence != nil {
				for _, tag := range evidence.Tags() {
					owners[tag] = record.Owner(set.Namespace, set.Consumer, name)
				}
			}
		}
	}
	return owners
}

// statusRun is one run of Status.
type statusRun struct {
	// engines are asked once for what several records came from.
	engines *finder
	client  *Client
	in      StatusInput
	// proving is set where something has to run what is recorded.
	proving bool
	kube    *apiServer
	states  kindnode.States
	// sets are those that were asked for, of all that there are.
	sets, all []*record.Set
	// recordedAs are the records of the namespace by their tags.
	recordedAs map[string]string
	used       []*rollout.Used
	unseen     rollout.Unseen
	// containers are those of all nodes, by the CRI's ID: the image ID each runs.
	containers map[string]string
}

func (r *statusRun) report(ctx context.Context) (*StatusResult, error) {
	result := &StatusResult{Namespace: r.kube.namespace, Images: []ImageStatus{}}
	if r.in.AllNamespaces {
		result.Namespace = ""
	}
	var err error
	if r.used, r.unseen, err = rollout.Usage(ctx, r.kube, r.kube.namespace); err != nil {
		return nil, err
	}
	result.Unseen = r.unseen.Kinds
	r.containers = map[string]string{}
	for _, container := range r.states.Containers() {
		r.containers[container.ID] = container.ImageRef
	}
	var steps []mending
	for _, namespace := range r.namespaces() {
		one := r.within(namespace)
		images, err := one.images(ctx)
		if err != nil {
			return nil, err
		}
		for _, image := range images {
			steps = append(steps, one.mend(image)...)
		}
		result.Images = append(result.Images, images...)
	}
	result.Mend = commandsOf(steps)
	return result, nil
}

// images are those of one namespace.
func (r *statusRun) images(ctx context.Context) ([]ImageStatus, error) {
	var images []ImageStatus
	for _, set := range r.sets {
		stale, err := r.stale(ctx, set)
		if err != nil {
			return nil, err
		}
		for _, name := range set.Names() {
			if r.wanted(name) {
				images = append(images, r.image(set, name, stale[name]))
			}
		}
	}
	images = append(images, r.notRecorded(images)...)
	images = append(images, r.orphans()...)
	for i := range images {
		images[i].Namespace = r.kube.namespace
		if repository, tag, err := ociimage.Split(images[i].Image); err == nil {
			images[i].Repository, images[i].Tag = repository, tag
		}
	}
	return images, nil
}

// wanted tells whether the image was asked for.
func (r *statusRun) wanted(name string) bool {
	return len(r.in.Suite.Images) == 0 || slices.ContainsFunc(r.in.Suite.Images, func(i config.Image) bool {
		return i.Name == name && i.External == ""
	})
}

// locked are the images that the locks of this host have.
func (r *statusRun) locked() []string {
	var images []string
	consumers := []string{r.in.Suite.Consumer}
	if r.in.Suite.Consumer == "" && r.in.Suite.LockDir != "" {
		all, _ := lock.ReadAll(r.in.Suite.LockDir) // one that is damaged is told where it is used
		for _, locked := range all {
			consumers = append(consumers, locked.Consumer)
		}
	}
	for _, consumer := range consumers {
		path := r.in.Suite.LockFile(consumer)
		if path == "" || consumer == "" {
			continue
		}
		if locked, err := lock.NewFile(path, "", "").Read(); err == nil {
			images = append(images, imagesOf(locked)...)
		}
	}
	return images
}
