package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/manifest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// check finds what would stop a run of up once the images are built, loaded and recorded:
// that takes minutes, and a mistyped name would be recorded.
func (r *upRun) check(ctx context.Context) error {
	records, err := r.recordsBefore(ctx, checkLimit)
	if err != nil {
		return err
	}
	return checkManifests(r.in.Suite, r.in.Manifests, records)
}

// checkLimit bounds what the API server is asked before anything is built.
const checkLimit = 10 * time.Second

// recordsBefore are the consumer's, nil where the cluster cannot be asked: it need not be
// there yet. One that does not answer within the limit is left alone until the images are
// built.
func (r *upRun) recordsBefore(ctx context.Context, limit time.Duration) (*record.Set, error) {
	onNodes := slices.ContainsFunc(r.in.Suite.Images, func(image config.Image) bool {
		text := said(r.in.Suite, image)
		return text == "" || text == config.NoRegistry
	})
	if onNodes {
		named, err := r.client.kindCluster(r.in.Suite)
		if err != nil {
			return nil, nil // said when the target is opened
		}
		if of, err := r.client.context(); err != nil || of != kindContext+named {
			// The kube context need not be about that cluster, which may still have to be made.
			return nil, nil
		}
	}
	consumer, err := r.client.consumerOf(ctx, r.in.Suite)
	if err != nil {
		return nil, nil // said when the target is opened
	}
	kube, err := r.client.kube(r.in.Suite)
	if err != nil {
		return nil, nil // said when the target is opened
	}
	asking, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	records, err := kube.records.Get(asking, kube.namespace, consumer)
	if err == nil && len(records.Names()) == 0 && !r.in.CreateNamespace && len(recordable(r.in.Suite)) > 0 {
		_, err = kube.CoreV1().Namespaces().Get(asking, kube.namespace, metav1.GetOptions{})
	}
	if asking.Err() != nil && ctx.Err() == nil {
		r.client.report.Warn(fmt.Sprintf("the API server %s was asked for the records in namespace %s, and did not answer "+
			"within %s; namespace and manifests are checked once the images are built", kube.config.Host, kube.namespace, limit))
	}
	if records == nil {
		return nil, nil // said when it is recorded
	}
	if apierrors.IsNotFound(err) {
		return nil, kube.records.NoNamespace(kube.namespace, err)
	}
	return records, nil
}

// checkManifests finds what is wrong with manifests, of which records says what else they
// may have; nil for what nobody knows.
func checkManifests(suite config.Suite, manifests []Manifest, records *record.Set) error {
	if len(manifests) == 0 {
		return nil
	}
	if suite.Part && records == nil {
		var mistakes []error
		var texts []apply.Manifest
		for _, m := range manifests {
			text, err := manifest.Decoded(m.Text, m.Name)
			texts, mistakes = append(texts, apply.Manifest{Name: m.Name, Text: text}), append(mistakes, err)
		}
		if err := errors.Join(mistakes...); err != nil {
			return err
		}
		return apply.CheckManifests(texts, nil, false)
	}
	images := imagesBefore(suite, records)
	texts, err := put(images, manifests)
	if err == nil {
		err = apply.CheckManifests(texts, images, suite.Part)
	}
	if err != nil && records != nil {
		if near := meant(suite, []*record.Set{records}); near != "" {
			return fmt.Errorf("%w\nnothing is recorded under that name%s", err, near)
		}
	}
	return err
}

// imagesBefore are the images that manifests may have, before they are recorded.
func imagesBefore(suite config.Suite, records *record.Set) []kube.Image {
	var images []kube.Image
	add := func(image config.Image, accompanies bool) {
		// Any tag will do.
		evidence := &record.Evidence{Image: cmp.Or(image.Repository, config.DefaultRepository(image.Name)) + ":tag"}
		if records != nil {
			if known, _ := records.Entry(image.Name); known != nil && known.Image != "" { // damage is told where it matters
				evidence = known
			}
		}
		images = append(images, kube.Image{
			Name: image.Name, Image: evidence.Image, Aliases: aliasesOf(image, evidence), Accompanies: accompanies,
		})
	}
	for _, image := range recordable(suite) {
		add(image, false)
	}
	if records == nil {
		return images
	}
	asked := recordedNames(suite)
	for _, name := range records.Names() {
		if !slices.Contains(asked, name) {
			add(config.Image{Name: name}, true)
		}
	}
	return images
}
