package apply

import (
	"context"
	"time"
)

// DryRun says how far Apply goes.
type DryRun string

// How far Apply goes; "" is DryRunNone.
const (
	DryRunNone   DryRun = "none"
	DryRunClient DryRun = "client"
	DryRunServer DryRun = "server"
)

// dry tells whether nothing is changed.
func (d DryRun) dry() bool { return d == DryRunClient || d == DryRunServer }

// Options of a deployment.
type Options struct {
	// Namespace of workloads that name none.
	Namespace string
	// Consumer whose mark the workloads get.
	Consumer string
	// TakeOver also patches workloads that carry another consumer's mark.
	TakeOver bool
	// WaitOnly: nothing will be applied, so nothing has to be possible. Workloads that
	// are not right are left out.
	WaitOnly bool
	// Replace deletes and makes anew Jobs and Pods that cannot be changed.
	Replace bool
	// OneNamespace refuses manifests with objects of other namespaces than Namespace.
	OneNamespace bool
	// ForceConflicts takes fields of manifests from other field managers.
	ForceConflicts bool
	// AllUsed wants every image to be in the manifests; else one of them is enough.
	AllUsed bool
	// Timeout and MaxRestarts are for workloads of manifests that have no image.
	Timeout     time.Duration
	MaxRestarts int
	DryRun      DryRun
	// Alive tells whether a consumer still has records: the mark of one that
	// has none binds nobody. nil: all of them live.
	Alive func(ctx context.Context, namespace, consumer string) (bool, error)
}
