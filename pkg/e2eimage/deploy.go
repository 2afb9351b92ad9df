package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// DryRun says how far Deploy goes.
type DryRun string

// How far Deploy goes.
const (
	// DryRunNone changes and waits.
	DryRunNone DryRun = "none"
	// DryRunClient sends nothing.
	DryRunClient DryRun = "client"
	// DryRunServer lets the API server check the patches without keeping them.
	DryRunServer DryRun = "server"
)

// DeployInput is what Deploy needs.
type DeployInput struct {
	Suite config.Suite
	// Manifests are applied, with the images put into them as Render does. Without
	// any, the workloads that the suite names are patched.
	Manifests []Manifest
	// OneNamespace refuses manifests with objects of other namespaces, as kubectl does
	// with -n.
	OneNamespace bool
	// ForceConflicts takes fields of the manifests from other field managers.
	ForceConflicts bool
	// TakeOver patches workloads that carry another consumer's mark.
	TakeOver bool
	// Replace deletes and makes anew Jobs and Pods that cannot be changed.
	Replace bool
	// Use decides between lock and cluster where they disagree; "" stops then.
	Use Use
	// AllowStale deploys what is recorded although it is known to be old.
	AllowStale bool
	// DryRun is "" or none, client, server.
	DryRun DryRun
	// NoWait returns when the workloads are changed. Whether they become ready is not
	// known then, and nothing is proved.
	NoWait bool
	// Changed, unless nil, is told what became of each workload, before Deploy waits
	// for it.
	Changed func(DeployedWorkload)
}

// DeployResult is what Deploy did and proved.
type DeployResult struct {
	Consumer  string             `json:"consumer"`
	Namespace string             `json:"namespace"`
	Workloads []DeployedWorkload `json:"workloads"`
	Proved    []ProvedContainer  `json:"proved"`
}

// DeployedWorkload is what became of one workload, or of another object of the
// manifests.
type DeployedWorkload struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name string `json:"name"`
	// Namespace of the workload.
	Namespace string `json:"namespace"`
	// Action is "image updated" or "unchanged"; "replaced" where it was deleted and
	// made anew; "created" or "configured" for objects of manifests.
	Action string `json:"action"`
	// Generation of the workload afterwards.
	Generation int64 `json:"generation"`
}

// ProvedContainer is a container that was seen to run the recorded image ID.
type ProvedContainer struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	Container string `json:"container"`
	Node      string `json:"node"`
	Image     string `json:"image"`
	ImageID   string `json:"imageID"`
}

// Deploy makes workloads run exactly the recorded images: nodes that lost an image
// are healed, workloads that are right are not touched, the others are patched, or
// manifests are applied; then it waits for the rollouts and compares
// what the containers really run with the record.
//
// What was changed before an error comes with it, in a result that is not nil.
func (c *Client) Deploy(ctx context.Context, in DeployInput) (*DeployResult, error) {
	return verb(ctx, in, c.deploy)
}

func (c *Client) deploy(ctx context.Context, in DeployInput) (*DeployResult, error) {
	var err error
	if in.Suite, err = inCluster(in.Suite); err != nil {
		return nil, err
	}
	run, err := c.beginDeploy(ctx, in)
	if err != nil {
		return nil, err
	}
	defer run.place.Close()
	return run.carryOut(ctx)
}

// carryOut is Deploy where records and cluster are known.
func (d *deployRun) carryOut(ctx context.Context) (*DeployResult, error) {
	if err := d.look(ctx); err != nil {
		return nil, err
	}
	plan, err := d.prepare(ctx)
	if err != nil {
		return nil, err
	}
	if d.dry() {
		for _, m := range findMissing(d.records, d.states) {
			d.client.report.Info(fmt.Sprintf("%s lacks %s, which would be put back", nodesOf([]string{m.node}),
				m.recorded.Evidence.Image))
		}
	} else if err := d.heal(ctx); err != nil {
		return nil, err
	}
	changes, err := plan.Apply(ctx, d.client.report)
	result := d.result(changes)
	if d.in.Changed != nil {
		for _, one := range result.Workloads {
			d.in.Changed(one)
		}
	}
	if err != nil || d.dry() {
		return result, err
	}
	if d.in.NoWait {
		d.unproved()
		return result, nil
	}
	targets := plan.Targets()
	others, err := d.kube.others(ctx, d.in.Suite, 0, targets)
	if err == nil {
		result.Proved, err = d.waitAndProve(ctx, rollout.New(d.kube, append(targets, others...)))
	}
	return result, err
}

// unproved says what is not known where nobody waited.
func (d *deployRun) unproved() {
	var names []string
	for _, r := range d.records {
		names = append(names, r.Image.Name)
	}
	d.client.report.Warn(fmt.Sprintf("did not wait, so it is not known whether the pods become ready, or which image "+
		"they run\nto wait and check: %s --wait",
		typedAt("verify", strings.Join(names, " "), d.kube.namespace, d.consumer, d.in.Suite)))
}

// deployRun is one run of Deploy.
type deployRun struct {
	client   *Client
	in       DeployInput
	kube     *apiServer
	place    *place
	consumer string
	// freshBuilt is set where host and tree were looked at just now.
	freshBuilt bool
	// lock may be nil; compared are the records with what lock and host say of them.
	lock     *locks
	compared []*comparison
	// adopt makes the lock say what the cluster does, where that is right.
	adopt []func(context.Context) error
	// set has all records of the consumer, as they were read first.
	set     *record.Set
	records []recorded
	states  kindnode.States
}

// beginDeploy reads the records and finds the nodes.
func (c *Client) beginDeploy(ctx context.Context, in DeployInput) (*deployRun, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	run, err := c.deployRecorded(ctx, in, kube)
	if err != nil {
		return nil, err
	}
	run.place, err = run.open(ctx)
	return run, err
}

// open finds where the recorded images are; with manifests, also those that accompany them.
func (d *deployRun) open(ctx context.Context) (*place, error) {
	names := recordedNames(d.in.Suite)
	suite := d.in.Suite
	suite.Consumer = d.consumer
	return d.client.openRecorded(ctx, d.kube, suite, []*record.Set{d.set}, func(_ *record.Set, name string) bool {
		return len(d.in.Manifests) > 0 || slices.Contains(names, name)
	})
}

// deployRecorded reads the records only.
func (c *Client) deployRecorded(ctx context.Context, in DeployInput, kube *apiServer) (*deployRun, error) {
	run := &deployRun{client: c, in: in, kube: kube}
	var err error
	if run.set, run.records, err = kube.readRecords(ctx, in.Suite); err != nil {
		var none *noRecordError
		if errors.As(err, &none) {
			none.mend = fmt.Sprintf("load, tag and deploy it at once: %s\nor look elsewhere with -n and --consumer",
				toDeploy(in.Suite, kube.namespace))
		}
		return nil, err
	}
	run.consumer = run.set.Consumer
	var mistakes []error
	for _, r := range run.records {
		mistakes = append(mistakes, r.notReady(run.kube.namespace, run.consumer, in.Suite))
	}
	return run, errors.Join(mistakes...)
}

// look asks nodes and host, and compares the records with what they say; it changes
// nothing but the lock.
func (d *deployRun) look(ctx context.Context) error {
	asked := make(chan error, 1)
	go func() { asked <- d.askHost(ctx) }()
	var err error
	d.states, err = d.client.ask(ctx, d.place, imageStore.Probe)
	if err = cmp.Or(err, <-asked); err != nil {
		return err
	}
	if err := d.kube.checkRightCluster(ctx, d.place, d.states); err != nil {
		return err
	}
	if err := d.fresh(ctx); err != nil || d.dry() {
		return err
	}
	for _, adopt := range d.adopt {
		if err := adopt(ctx); err != nil {
			return err
		}
	}
	return nil
}

func (d *deployRun) dry() bool { return d.in.DryRun == DryRunClient || d.in.DryRun == DryRunServer }

func (d *deployRun) owner(name string) string {
	return record.Owner(d.kube.namespace, d.consumer, name)
}

// images are the records in the words of package kube.
func (d *deployRun) images() []kube.Image {
	var images []kube.Image
	for _, r := range d.records {
		images = append(images, kube.Image{
			Name: r.Image.Name, Image: r.Evidence.Reference(), Tagged: r.Evidence.Image, Pulled: r.Evidence.Registry != nil,
			ImageID: r.Evidence.ImageID, Accompanies: r.accompanies,
			Aliases: aliasesOf(r.Image, r.Evidence), Workloads: r.Image.Deploy.Workloads, Containers: r.Image.Deploy.Containers,
			PullPolicy: r.Image.Deploy.PullPolicy, MaxRestarts: r.Image.Deploy.MaxRestarts, Timeout: r.Image.Deploy.Timeout,
		})
	}
	return images
}

func (d *deployRun) result(changes []apply.Change) *DeployResult {
	result := &DeployResult{
		Consumer: d.consumer, Namespace: d.kube.namespace, Workloads: []DeployedWorkload{},
		Proved: []ProvedContainer{},
	}
	for _, change := range changes {
		result.Workloads = append(result.Workloads, DeployedWorkload{
			Name: change.Name, Namespace: change.Namespace, Action: string(change.Action), Generation: change.Generation,
		})
	}
	return result
}

// alive tells whether a consumer still has records in the namespace: the mark
// of one that has none binds nobody.
func (k *apiServer) alive(ctx context.Context, namespace, consumer string) (bool, error) {
	set, err := k.records.Get(ctx, namespace, consumer)
	if err != nil {
		return false, err
	}
	return len(set.Names()) > 0, nil
}
