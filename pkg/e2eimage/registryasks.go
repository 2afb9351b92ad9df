package e2eimage

import (
	"cmp"
	"context"
	"runtime"
	"slices"
	"sync"

	"github.com/opencontainers/go-digest"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// asker finds out what registries are to be asked for: what the records and the lock name, and
// the sources of the suite's images.
type asker struct {
	kube  *apiServer
	suite config.Suite
	// everywhere reads the records of all namespaces.
	everywhere bool
	// consumer and lock are set once they are known; lock may be nil.
	consumer string
	lock     *locks
	// platform of the nodes, which is asked for once.
	platform func(context.Context) string
}

func newAsker(kube *apiServer, suite config.Suite) *asker {
	var once sync.Once
	platform := ""
	return &asker{
		kube: kube, suite: suite, consumer: suite.Consumer,
		platform: func(ctx context.Context) string {
			once.Do(func() { platform = kube.platform(ctx) })
			return platform
		},
	}
}

// platform of the cluster's nodes, by one of them; that of this host where they may not be seen.
func (k *apiServer) platform(ctx context.Context) string {
	listed, err := k.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: 1})
	if err != nil || len(listed.Items) == 0 || listed.Items[0].Status.NodeInfo.Architecture == "" {
		return "linux/" + runtime.GOARCH
	}
	info := listed.Items[0].Status.NodeInfo
	return ociimage.Platform(cmp.Or(info.OperatingSystem, "linux"), info.Architecture, "")
}

// asks are for one registry.
func (a *asker) asks(ctx context.Context, choice registry.Choice) (registry.Asks, error) {
	read := a.kube.setsAmong
	if a.everywhere {
		read = a.kube.setsEverywhere
	}
	suite := a.suite
	suite.Consumer = a.consumer
	_, sets, err := read(ctx, suite)
	if err != nil {
		return registry.Asks{}, err
	}
	found := &registryAsks{asker: a, choice: choice, asks: registry.Asks{
		Platform: a.platform(ctx), Owners: map[string]string{}, Digests: map[string][]digest.Digest{},
		Also: map[string][]string{},
	}}
	for _, set := range sets {
		for _, name := range set.Names() {
			// What is wrong with a record is told where it is used.
			if evidence, _ := set.Entry(name); evidence != nil {
				found.record(ctx, set, name, evidence)
			}
		}
	}
	for _, image := range a.suite.Images {
		found.image(ctx, image)
	}
	return found.asks, nil
}

// registryAsks gathers what one registry is asked for.
type registryAsks struct {
	*asker
	choice registry.Choice
	asks   registry.Asks
}

// record adds what a record names. Of those that nobody asked for it is known whose they are.
func (r *registryAsks) record(ctx context.Context, set *record.Set, name string, evidence *record.Evidence) {
	owner := record.Owner(set.Namespace, set.Consumer, name)
	for _, tag := range evidence.Tags() {
		if _, here := r.choice.Here(tag); !here {
			continue
		}
		r.asks.Owners[tag] = owner
		if stands, _ := evidence.StandsFor(tag); stands != "" {
			r.asks.Digests[tag] = append(r.asks.Digests[tag], digest.Digest(stands))
		}
		if tag == evidence.Image && evidence.Registry != nil {
			r.asks.Digests[tag] = append(r.asks.Digests[tag], evidence.Registry.Digests()...)
		}
	}
	wanted := len(r.suite.Images) == 0 || slices.ContainsFunc(r.suite.Images, func(image config.Image) bool {
		return image.Name == name
	})
	if _, here := r.choice.Here(evidence.Image); !here || !wanted || r.consumer != "" && set.Consumer != r.consumer {
		return
	}
	r.name(evidence.Image)
	if evidence.Claim != nil {
		r.name(evidence.Claim.Image)
	}
	for _, tag := range evidence.Release {
		r.name(tag)
	}
	repository := ociimage.Repository(evidence.Image)
	if evidence.Registry != nil && evidence.Registry.Digest != "" {
		r.asks.Pinned = append(r.asks.Pinned, repository+"@"+evidence.Registry.Digest.String())
	}
	r.source(ctx, repository, evidence.Source)
}

// image adds what the suite and the lock name.
func (r *registryAsks) image(ctx context.Context, image config.Image) {
	if image.External != "" {
		r.name(image.External)
		return
	}
	if _, here := r.choice.Here(image.Repository); !here {
		return
	}
	r.source(ctx, image.Repository, image.Source)
	if image.Tag != "" {
		r.name(image.Repository + ":" + image.Tag)
	}
	entry := r.lock.entry(image, r.suite.Prebuilt)
	if entry == nil {
		return
	}
	r.source(ctx, image.Repository, entry.Source)
	if entry.Digest != "" {
		r.asks.Pinned = append(r.asks.Pinned, image.Repository+"@"+entry.Digest)
	}
	if entry.Image == "" {
		return
	}
	r.name(entry.Image)
	if r.suite.TagGroup != "" && entry.ImageID != "" {
		next := nextName(entry.Image, entry.ImageID)
		r.name(next)
		r.asks.Owners[next] = record.Owner(r.kube.namespace, r.consumer, image.Name)
		r.asks.Digests[next] = []digest.Digest{digest.Digest(entry.ImageID)}
	}
}

// name adds a name, once.
func (r *registryAsks) name(name string) {
	if _, here := r.choice.Here(name); here && !slices.Contains(r.asks.Names, name) {
		r.asks.Names = append(r.asks.Names, name)
	}
}

// source adds the name that a source has in a repository, by which it is then found as nodes have
// it under the source's own name.
func (r *registryAsks) source(ctx context.Context, repository, text string) {
	source, err := config.ParseSource(text)
	if err != nil || source.Kind == config.SourceStdin {
		return // said by who needs it
	}
	id := source.Value
	if source.IsArchive() {
		archive, err := engine.OpenArchive(ctx, source, nil, r.platform(ctx))
		if err != nil {
			return
		}
		defer func() { _ = archive.Close() }()
		known, _ := archive.Image()
		id = known.ID.String()
	}
	name := sourceName(repository, source, id)
	if name == "" {
		return
	}
	r.name(name)
	candidates, _ := ociimage.Candidates(text) // what is no reference has no other name
	for _, candidate := range candidates {
		if candidate != name && source.Kind == config.SourceReference && !slices.Contains(r.asks.Also[name], candidate) {
			r.asks.Also[name] = append(r.asks.Also[name], candidate)
		}
	}
}

// sourceName is what a source is called in a repository of a registry: by its own tag, since a tag
// has to stay in one repository; without one, by the image ID. "" where that is not known.
func sourceName(repository string, source config.Source, id string) string {
	if source.Kind == config.SourceReference {
		normal, err := ociimage.Normalize(source.Value)
		if err != nil {
			return ""
		}
		if _, tag, err := ociimage.Split(normal); err == nil {
			return repository + ":" + tag
		}
		return ""
	}
	id, ok := ociimage.ParseImageID(id)
	if !ok {
		return ""
	}
	const digits = 12
	return repository + ":id-" + id[len("sha256:"):][:digits]
}
