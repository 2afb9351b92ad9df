package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Suite is one consumer's images: those of its e2eimage.yaml, see Open, or of Go code, see
// Define. Its methods are the verbs. It is safe for concurrent use, also by several
// processes: they agree on one tag for each content.
//
// Up does all that a suite needs before its first test, Down takes it away after its last.
// Errors are told apart by CodeOf; see the package's documentation.
type Suite struct {
	client *Client
	suite  config.Suite

	mu sync.Mutex
	// applied are the objects of manifests that this Suite applied.
	applied []DeployedWorkload
}

var _ Verbs = (*Suite)(nil)

// Verbs are the methods of a Suite, for code that is to be tested without a cluster: package
// e2eimagetest has a fake. New methods may come; whoever implements it embeds it.
type Verbs interface {
	// Up builds, loads, tags and deploys, and repeats nothing that is true already.
	Up(ctx context.Context, options ...Option) (*Images, error)
	// Build decides tags and builds; no cluster is needed.
	Build(ctx context.Context, options ...Option) (*BuildResult, error)
	// Load copies images to every node.
	Load(ctx context.Context, options ...Option) (*LoadResult, error)
	// Tag gives loaded images their tags and records them.
	Tag(ctx context.Context, options ...Option) (*Images, error)
	// Deploy makes workloads run the recorded images, and proves it.
	Deploy(ctx context.Context, options ...Option) (*DeployResult, error)
	// Images reads the recorded images.
	Images(ctx context.Context, options ...Option) (*Images, error)
	// Render puts the recorded images into manifests.
	Render(ctx context.Context, options ...Option) ([]Manifest, error)
	// Verify compares all that is known, and fails where it does not agree.
	Verify(ctx context.Context, options ...Option) (*StatusResult, error)
	// Status compares all that is known.
	Status(ctx context.Context, options ...Option) (*StatusResult, error)
	// Diagnose writes what explains a failure into a folder.
	Diagnose(ctx context.Context, failure error, options ...Option) (*DiagnoseResult, error)
	// Down takes away what the consumer has recorded.
	Down(ctx context.Context, options ...Option) error

	verbs()
}

func (*Suite) verbs() {}

// Consumer is the suite's name in records, "" where it is that of the Kind cluster.
func (s *Suite) Consumer() string { return s.suite.Consumer }

// call is one call of a verb: what was chosen, and the part of the suite that it is about.
func (s *Suite) call(ctx context.Context, verb Verb, options []Option) (Choices, config.Suite, []Manifest, error) {
	choices, found := choose(verb, options)
	suite, err := s.suite.Only(choices.Only...)
	found.add(err)
	if err := errors.Join(found.all...); err != nil {
		return choices, suite, nil, &verbError{&UsageError{err}}
	}
	suite.Prebuilt = cmp.Or(choices.Prebuilt, suite.Prebuilt)
	if suite.Images = slices.Clone(suite.Images); choices.Timeout != nil {
		for i := range suite.Images {
			suite.Images[i].Deploy.Timeout = *choices.Timeout
		}
	}
	manifests, err := ReadManifests(ctx, ManifestFiles{
		Dir: s.client.options.Dir, Paths: choices.Apply, Recursive: choices.Recursive, Kustomize: choices.Kustomize,
	})
	if err != nil {
		return choices, suite, nil, &verbError{ended(ctx, err)}
	}
	return choices, suite, append(manifests, choices.Manifests...), nil
}

// Build decides the recorded image of every image that has a build, builds it and pins it by
// its ID in the lock of this host. The same content keeps its tag. What was built before an
// error comes with it.
func (s *Suite) Build(ctx context.Context, options ...Option) (*BuildResult, error) {
	chosen, suite, _, err := s.call(ctx, VerbBuild, options)
	if err != nil {
		return nil, err
	}
	return s.client.Build(ctx, chosen.buildInput(suite))
}

// Load puts the images on every node, sending only what a node lacks. What was loaded before
// an error comes with it.
func (s *Suite) Load(ctx context.Context, options ...Option) (*LoadResult, error) {
	chosen, suite, _, err := s.call(ctx, VerbLoad, options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, limit(chosen.Timeout, DefaultLoadTimeout))
	defer cancel()
	return s.client.Load(ctx, chosen.loadInput(suite))
}

// Tag gives the loaded images their tags on every node, and records them. A dry run returns
// those that have one.
func (s *Suite) Tag(ctx context.Context, options ...Option) (*Images, error) {
	chosen, suite, _, err := s.call(ctx, VerbTag, options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, limit(chosen.Timeout, DefaultVerbTimeout))
	defer cancel()
	result, err := s.client.Tag(ctx, chosen.tagInput(suite))
	if err != nil {
		return nil, err
	}
	images := &Images{Consumer: suite.Consumer, Namespace: suite.Namespace, From: UseCluster, Images: []Ref{}}
	for _, tagged := range result.Images {
		images.Consumer, images.Namespace = tagged.Consumer, tagged.Namespace
		repository, tag, err := ociimage.Split(tagged.Image)
		if err != nil {
			continue // a dry run has not drawn it
		}
		images.Images = append(images.Images, Ref{
			Name: tagged.Name, Image: tagged.Image, Repository: repository, Tag: tag, ImageID: tagged.ImageID,
			Digest: tagged.Digest, Source: tagged.Source,
		})
	}
	return s.told(ctx, suite, images), nil
}

// Images reads the recorded images: from this host's lock where that has all, else with one
// call from the cluster.
func (s *Suite) Images(ctx context.Context, options ...Option) (*Images, error) {
	chosen, suite, _, err := s.call(ctx, VerbImages, options)
	if err != nil {
		return nil, err
	}
	return s.client.Ref(ctx, RefInput{Suite: suite, From: chosen.Prefer})
}

// told are images that know the suite, for Helm and Kustomize.
func (s *Suite) told(ctx context.Context, suite config.Suite, images *Images) *Images {
	return images.With(suite, s.client.facts(ctx, suite, config.TemplateValues{}))
}

// Render returns the manifests of Apply, Kustomize and Manifests with the recorded images in
// them. Nothing else of them changes.
func (s *Suite) Render(ctx context.Context, options ...Option) ([]Manifest, error) {
	chosen, suite, manifests, err := s.call(ctx, VerbRender, options)
	if err != nil {
		return nil, err
	}
	result, err := s.client.Render(ctx, RenderInput{Suite: suite, From: chosen.Prefer, Manifests: manifests})
	if err != nil {
		return nil, err
	}
	return result.Manifests, nil
}

// Status compares records, lock, host, nodes, workloads and running pods, and changes
// nothing.
func (s *Suite) Status(ctx context.Context, options ...Option) (*StatusResult, error) {
	chosen, suite, _, err := s.call(ctx, VerbStatus, options)
	if err != nil {
		return nil, err
	}
	ctx, cancel := bounded(ctx, limit(chosen.Timeout, DefaultVerbTimeout))
	defer cancel()
	return s.client.Status(ctx, StatusInput{Suite: suite})
}

// Verify is Status that fails where something does not agree, with a *DisagreementError. The
// status comes with it.
func (s *Suite) Verify(ctx context.Context, options ...Option) (*StatusResult, error) {
	chosen, suite, _, err := s.call(ctx, VerbVerify, options)
	if err != nil {
		return nil, err
	}
	result, err := s.client.Verify(ctx, chosen.verifyInput(suite))
	return result, s.explained(ctx, chosen, DiagnoseInput{Suite: suite}, err)
}
