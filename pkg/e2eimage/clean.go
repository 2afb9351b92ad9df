package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// CleanInput is what Clean needs.
type CleanInput struct {
	Suite config.Suite
	// Scope says where; "" is ScopeAll.
	Scope Scope
	// Keep, unless nil, takes away only the images of before, but for so many; the
	// records and what they stand for stay.
	Keep *int
	// OlderThan leaves alone what was recorded later than so long ago.
	OlderThan time.Duration
	// Orphans takes away tags on nodes whose record is gone, and nothing else; see
	// Client.Clean.
	Orphans bool
	// All takes every record of the consumer in the namespace, whatever images the suite
	// has; without a consumer the only one that has records there.
	All bool
	// IgnoreNotFound makes it no error that nothing is there to take away.
	IgnoreNotFound bool
	// Force takes tags away although something uses them.
	Force bool
	// DryRun reports but removes nothing.
	DryRun bool
}

// Scope says where Clean takes things away.
type Scope string

// Where Clean takes things away.
const (
	// ScopeAll is both: the host only after the cluster.
	ScopeAll Scope = "all"
	// ScopeCluster is the nodes and the records.
	ScopeCluster Scope = "cluster"
	// ScopeHost is the engines' names and the lock; it needs no cluster.
	ScopeHost Scope = "host"
)

// CleanResult is what Clean removed and what it left.
type CleanResult struct {
	Consumer string `json:"consumer"`
	// Namespace of the records, "" where only the host was cleaned.
	Namespace string         `json:"namespace,omitempty"`
	Images    []CleanedImage `json:"images"`
	// Orphans are tags whose record was gone; Left are those that something uses.
	Orphans []Orphan   `json:"orphans,omitempty"`
	Left    []TagInUse `json:"left,omitempty"`
	// Disk is what came back, for each node where something did.
	Disk []FreedDisk `json:"disk,omitempty"`
}

// FreedDisk is disk that images took on a node and do not take any more.
type FreedDisk struct {
	Node  string `json:"node"`
	Bytes int64  `json:"bytes"`
}

// Orphan is a tag on nodes that no record has.
type Orphan struct {
	Image string `json:"image"`
	// Owner is the record that had it, <namespace>.<consumer>.<name>.
	Owner string   `json:"owner"`
	Nodes []string `json:"nodes"`
}

// CleanedImage is what became of one record.
type CleanedImage struct {
	Name string `json:"name"`
	// Removed are the tags that were taken off the nodes.
	Removed []string `json:"removed"`
	// Freed are the nodes where an image went with its last name.
	Freed []string `json:"freed"`
	// RecordRemoved is set when the record is gone, too.
	RecordRemoved bool `json:"recordRemoved"`
	// Host are the names that were taken off this host's engines, like
	// "podman localhost/x:dev".
	Host []string `json:"host"`
	// LockRemoved is set when the lock's entry is gone.
	LockRemoved bool `json:"lockRemoved"`
	// Left are the tags that something still uses, with what; the record stays.
	Left []TagInUse `json:"left,omitempty"`
}

// Clean takes away what the records of the suite's images own: their tags on
// all nodes, images that then nothing names or runs, the records, the recorded names
// that builds gave on this host, and the lock's entries. What was adopted on the host
// stays, and so do the names of sources.
//
// A tag in use is left, with its record, and listed: a container runs it, a pod waits for
// it, or a workload's template has it, also where there are no replicas. Whoever asked
// for the image to go, and not only for what is old or left over, gets an InUseError, too.
//
// Orphans are tags that carry the label of a record which is gone, or does not have
// them: of the suite's namespace and consumer where it says those, else of all. They
// are taken away when they are an hour old, or older than OlderThan.
func (c *Client) Clean(ctx context.Context, in CleanInput) (*CleanResult, error) {
	return verb(ctx, in, c.clean)
}

func (c *Client) clean(ctx context.Context, in CleanInput) (*CleanResult, error) {
	if in.Orphans {
		return c.cleanOrphans(ctx, in)
	}
	if in.Scope == ScopeHost {
		return c.cleanHost(ctx, in)
	}
	return c.cleanCluster(ctx, in)
}

// cleanSet finds what is recorded. It is not read: clean is also how to get rid of
// damaged records. What the suite names and nobody recorded is gone already; what
// the lock has, and what a killed run left, may be on nodes without a record.
func (c *Client) cleanSet(ctx context.Context, in CleanInput, kube *apiServer,
	states kindnode.States,
) (*record.Set, *locks, []string, error) {
	wanted := recordedNames(in.Suite)
	set, err := kube.setWith(ctx, in.Suite, true)
	var none *noRecordError
	if err != nil && !errors.As(err, &none) {
		return nil, nil, nil, err
	}
	if none != nil {
		none.mend = "see what is there: " + typed("status", "", withoutConsumer(in.Suite, kube.namespace)) +
			"\nor look elsewhere with -n and --consumer"
	}
	consumer := in.Suite.Consumer
	if set != nil {
		consumer = set.Consumer
	}
	if consumer == "" {
		var failed error
		if consumer, failed = c.consumerWithout(in.Suite, kube.namespace, states); failed != nil || consumer == "" {
			return nil, nil, nil, errors.Join(err, failed)
		}
	}
	lock, failed := c.openLock(in.Suite, consumer)
	if failed != nil {
		return nil, nil, nil, failed
	}
	if set == nil {
		if set, failed = kube.records.Get(ctx, kube.namespace, consumer); failed != nil {
			return nil, nil, nil, failed
		}
	}
	names := namesIn(set, wanted)
	for _, name := range wanted {
		has := len(states.OwnedBy(record.Owner(kube.namespace, consumer, name))) > 0 ||
			slices.Contains(lock.names(wanted), name)
		if has && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	if err != nil && len(names) == 0 {
		return nil, nil, nil, err
	}
	for _, name := range wanted {
		if !slices.Contains(names, name) {
			c.report.Info(fmt.Sprintf("nothing is left of %s", name))
		}
	}
	return set, lock, names, nil
}

// consumerWithout is the consumer that has the images where no record says it: the lock's,
// else the only one that has tags on nodes. "" for none.
func (c *Client) consumerWithout(suite config.Suite, namespace string,
	states kindnode.States,
) (string, error) {
	consumer, err := c.consumerSaid(suite)
	if err != nil || consumer != "" {
		return consumer, err
	}
	found := map[string]bool{}
	for owned := range states.Owners() {
		if of, consumer, name, ok := record.ParseOwner(owned.Owner); ok && of == namespace &&
			slices.Contains(recordedNames(suite), name) {
			found[consumer] = true
		}
	}
	if len(found) > 1 {
		return "", &UsageError{
			fmt.Errorf("several consumers have tags of these images on nodes: %s; say which with --consumer",
				strings.Join(sortedKeys(found), ", ")),
		}
	}
	for consumer := range found {
		return consumer, nil
	}
	return "", nil
}

// nothingLeft tells what is clean already from what was misspelt: a whole suite may
// be cleaned again.
func (c *Client) nothingLeft(in CleanInput, err error) error {
	whole := in.Suite.File != "" && !in.Suite.Part
	if !whole && !in.IgnoreNotFound || !as[*noRecordError](err) {
		return err
	}
	c.report.Info("nothing is left of " + strings.Join(recordedNames(in.Suite), ", "))
	return nil
}

// withoutConsumer is the suite in a namespace, whoever has images there.
func withoutConsumer(suite config.Suite, namespace string) config.Suite {
	suite.Namespace, suite.Consumer = namespace, ""
	return suite
}
