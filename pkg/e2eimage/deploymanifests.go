package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"

	"k8s.io/client-go/dynamic"
	"k8s.io/client-go/rest"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/manifest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// prepare finds out what has to be done: to existing workloads, or with manifests.
func (d *deployRun) prepare(ctx context.Context) (*apply.Plan, error) {
	options := apply.Options{
		Namespace: d.kube.namespace, Consumer: d.consumer, TakeOver: d.in.TakeOver, Replace: d.in.Replace,
		DryRun: apply.DryRun(d.in.DryRun), Alive: d.kube.alive,
	}
	if len(d.in.Manifests) == 0 {
		return apply.Prepare(ctx, d.kube, options, d.images())
	}
	d.accompany()
	images := d.images()
	manifests, err := put(images, d.in.Manifests)
	if err != nil {
		return nil, err
	}
	options.ForceConflicts, options.OneNamespace, options.AllUsed = d.in.ForceConflicts, d.in.OneNamespace, d.in.Suite.Part
	for _, image := range images {
		options.Timeout, options.MaxRestarts = max(options.Timeout, image.Timeout),
			max(options.MaxRestarts, image.MaxRestarts)
	}
	cluster, err := d.client.manifestCluster(d.kube)
	if err != nil {
		return nil, err
	}
	plan, err := apply.PrepareManifests(ctx, cluster, options, images, manifests)
	if err != nil {
		return nil, err
	}
	if hooks := plan.SkippedHooks(); len(hooks) > 0 {
		d.client.report.Info("not applied, because these Helm hooks do not run on install: " + strings.Join(hooks, ", "))
	}
	// Only those that the manifests have are healed and proved.
	d.records = slices.DeleteFunc(d.records, func(r recorded) bool {
		return r.accompanies && !plan.HasImage(r.Evidence.Reference())
	})
	var mistakes []error
	for _, r := range d.records {
		mistakes = append(mistakes, r.notReady(d.kube.namespace, d.consumer, d.in.Suite))
	}
	return plan, errors.Join(mistakes...)
}

// accompany adds what else is recorded for the consumer: manifests of several
// services must not lose the images of those that were not asked for.
func (d *deployRun) accompany() {
	var like config.Deploy
	for _, r := range d.records {
		like.Timeout, like.MaxRestarts = max(like.Timeout, r.Image.Deploy.Timeout),
			max(like.MaxRestarts, r.Image.Deploy.MaxRestarts)
	}
	for _, name := range d.set.Names() {
		if slices.ContainsFunc(d.records, func(r recorded) bool { return r.Image.Name == name }) {
			continue
		}
		evidence, damage := d.set.Entry(name)
		if evidence == nil {
			d.client.report.Warn(fmt.Sprintf("the record of %s cannot be read, so in manifests only e2eimage://%s and %s are "+
				"replaced: %v",
				name, name, config.DefaultRepository(name), damage))
			evidence = &record.Evidence{}
		}
		if evidence.Image == "" {
			// Any tag will do: if the manifests have it, nothing is deployed.
			evidence.Image = config.DefaultRepository(name) + ":tag"
		}
		d.records = append(d.records, recorded{
			Image: config.Image{Name: name, Deploy: like}, Evidence: evidence,
			accompanies: true, damage: damage,
		})
	}
}

// put puts the images into manifests, as Render does.
func put(images []kube.Image, manifests []Manifest) ([]apply.Manifest, error) {
	var options manifest.Options
	for _, image := range images {
		options.Images = append(options.Images, manifest.Image{
			Name: image.Name, Image: image.Image, ImageID: image.ImageID,
			Aliases: image.Aliases,
		})
	}
	var rendered []apply.Manifest
	var mistakes []error
	for _, m := range manifests {
		text, err := manifest.Render(m.Text, m.Name, options)
		rendered, mistakes = append(rendered, apply.Manifest{Name: m.Name, Text: text}), append(mistakes, err)
	}
	return rendered, errors.Join(mistakes...)
}

// manifestCluster is the API server with what it takes to apply objects of any kind.
func (c *Client) manifestCluster(kube *apiServer) (apply.Cluster, error) {
	config := rest.CopyConfig(kube.config)
	config.WarningHandler = &warnings{report: c.report, said: map[string]bool{}}
	client, err := dynamic.NewForConfig(config)
	if err != nil {
		return apply.Cluster{}, fmt.Errorf("kubeconfig: %w", err)
	}
	mapper, err := c.options.Kube.ToRESTMapper()
	if err != nil {
		return apply.Cluster{}, fmt.Errorf("kinds that the cluster knows: %w", err)
	}
	return apply.Cluster{API: kube, Dynamic: client, Mapper: mapper}, nil
}

// warnings passes on what the API server warns about, such as deprecated versions,
// once: it says so of the dry run and of the change.
type warnings struct {
	report progress.Reporter
	mu     sync.Mutex
	said   map[string]bool
}

// HandleWarningHeader implements rest.WarningHandler.
func (w *warnings) HandleWarningHeader(code int, _, text string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if code == 299 && text != "" && !w.said[text] {
		w.said[text] = true
		w.report.Warn(foreign.Masked(text))
	}
}
