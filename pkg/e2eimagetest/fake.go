// Package e2eimagetest is for unit tests of code that uses package e2eimage: a Fake of its
// Suite, without engine, cluster or files. It goes through the same states, fails with the
// same typed errors, keeps the calls, and fails on demand. It must not decide anything that
// package e2eimage decides: its answers are as plain as its images.
package e2eimagetest

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// Fake is a suite whose images are only counted. It is safe for concurrent use.
type Fake struct {
	// Verbs lets the Fake have the methods that will be added.
	e2eimage.Verbs
	// Helm maps chart values to templates, as the suite's helm: block does.
	Helm map[string]string

	consumer string
	mu       sync.Mutex
	images   []*image
	fails    map[e2eimage.Verb][]error
	calls    []Call
	tags     int
}

var _ e2eimage.Verbs = (*Fake)(nil)

// Call is one call of a verb.
type Call struct {
	Verb e2eimage.Verb
	// Choices are what its options said.
	Choices e2eimage.Choices
}

// image is which content of an image is where: 1 for the first, 0 for none.
type image struct {
	name string
	// source is the newest on the host.
	source, built, loaded, recorded, deployed int
	// tag of what was decided last, tagged its content.
	tag    string
	tagged int
}

// New returns a suite of a consumer with images that have been built nowhere yet.
func New(consumer string, names ...string) *Fake {
	f := &Fake{consumer: consumer, fails: map[e2eimage.Verb][]error{}}
	for _, name := range names {
		f.images = append(f.images, &image{name: name, source: 1})
	}
	return f
}

// Change gives images new content on the host: what was built of them is stale then.
func (f *Fake) Change(names ...string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, one := range f.images {
		if len(names) == 0 || slices.Contains(names, one.name) {
			one.source++
		}
	}
}

// Fail lets the next calls of a verb fail, one with each error; a nil lets one pass.
func (f *Fake) Fail(verb e2eimage.Verb, errs ...error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.fails[verb] = append(f.fails[verb], errs...)
}

// Calls returns the calls until now, in their order, also those that failed.
func (f *Fake) Calls() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.calls)
}

// Called are the verbs that were called, in their order, such as "Up Verify Down".
func (f *Fake) Called() string {
	var verbs []string
	for _, call := range f.Calls() {
		verbs = append(verbs, string(call.Verb))
	}
	return strings.Join(verbs, " ")
}

// begin keeps a call, and returns what it is about. It locks the Fake, also where there is an
// error: the verb unlocks it.
func (f *Fake) begin(ctx context.Context, verb e2eimage.Verb, options []e2eimage.Option) (e2eimage.Choices, []*image,
	error,
) {
	f.mu.Lock()
	chosen, err := e2eimage.Choose(verb, options...)
	f.calls = append(f.calls, Call{verb, chosen})
	about, unknown := f.about(chosen.Only)
	if err = errors.Join(err, unknown); err != nil {
		return chosen, nil, &e2eimage.UsageError{Err: err}
	}
	if cause := context.Cause(ctx); cause != nil {
		if !errors.Is(cause, ctx.Err()) {
			cause = errors.Join(cause, ctx.Err())
		}
		return chosen, nil, cause
	}
	if pending := f.fails[verb]; len(pending) > 0 {
		f.fails[verb] = pending[1:]
		return chosen, about, pending[0]
	}
	return chosen, about, nil
}

func (f *Fake) about(only []string) ([]*image, error) {
	if len(only) == 0 {
		return f.images, nil
	}
	var about []*image
	var unknown []error
	for _, name := range only {
		i := slices.IndexFunc(f.images, func(one *image) bool { return one.name == name })
		if i < 0 {
			unknown = append(unknown, fmt.Errorf("there is no image %q", name))
			continue
		}
		about = append(about, f.images[i])
	}
	return about, errors.Join(unknown...)
}

// draw decides the tag of a content: the same keeps its own.
func (f *Fake) draw(one *image, content int, isNew bool) {
	if one.tagged == content && !isNew {
		return
	}
	f.tags++
	one.tag, one.tagged = fmt.Sprintf("%s-%08x", f.consumer, f.tags), content
}

func (one *image) repository() string { return config.DefaultRepository(one.name) }

func (one *image) recordedImage() string { return one.repository() + ":" + one.tag }

// id is that of a content: a config digest.
func (one *image) id(content int) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s %d", one.name, content))
	return "sha256:" + hex.EncodeToString(sum[:])
}

func (one *image) sourceName() string { return one.repository() + ":dev" }

// refs are the images as they are recorded.
func (f *Fake) refs(of []*image) *e2eimage.Images {
	images := &e2eimage.Images{Consumer: f.consumer, Namespace: "default", From: e2eimage.UseCluster}
	suite := config.Suite{Consumer: f.consumer, Helm: f.Helm, Part: len(of) < len(f.images)}
	for _, one := range f.images {
		known := config.Image{Name: one.name, Source: one.sourceName()}
		if !slices.Contains(of, one) {
			suite.Others = append(suite.Others, known)
			continue
		}
		suite.Images = append(suite.Images, known)
		images.Images = append(images.Images, e2eimage.Ref{
			Name: one.name, Image: one.recordedImage(), Repository: one.repository(), Tag: one.tag,
			ImageID: one.id(one.recorded), Source: one.sourceName(),
		})
	}
	return images.With(suite, config.TemplateValues{User: "fake", Unix: 1, Arch: "amd64"})
}
