package workload

import (
	"context"
	"time"
)

// Image is a recorded image and where it belongs.
type Image struct {
	// Name of the image in records, like datastorage.
	Name string
	// Image is `<repository>:<tag>`, ImageID its identity "sha256:<64 hex>".
	Image, ImageID string
	// Aliases are other references and repositories that mean this image: a
	// container that has one of them, in any tag, is the image's.
	Aliases []string
	// Workloads as [NAMESPACE/]KIND/NAME, with kubectl's short kinds.
	Workloads []string
	// Containers to set; empty for those that an alias matches, else the only one.
	Containers []string
	// PullPolicy to set: Never or IfNotPresent; "" keeps it, but Always becomes
	// Never, since the image is in no registry.
	PullPolicy string
	// Timeout of the rollout.
	Timeout time.Duration
	// MaxRestarts of a crash loop before it is given up, 0 for never.
	MaxRestarts int
}

// DryRun says how far Apply goes.
type DryRun string

// How far Apply goes; "" is DryRunNone.
const (
	DryRunNone   DryRun = "none"
	DryRunClient DryRun = "client"
	DryRunServer DryRun = "server"
)

// Options of a deployment.
type Options struct {
	// Namespace of workloads that name none.
	Namespace string
	// Consumer whose mark the workloads get.
	Consumer string
	// TakeOver also patches workloads that carry another consumer's mark.
	TakeOver bool
	DryRun   DryRun
	// Alive tells whether a consumer still has records: the mark of one that
	// has none binds nobody.
	Alive func(ctx context.Context, namespace, consumer string) (bool, error)
}

// Change is what became of one workload.
type Change struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name      string
	Namespace string
	// Patched is false when image and policy were right already.
	Patched bool
	// Generation of the workload afterwards.
	Generation int64
}

// Running is a container that runs one of the images.
type Running struct {
	Namespace, Pod, Container, Node string
	// ContainerID without its runtime prefix.
	ContainerID string
	// ImageName is Image.Name.
	ImageName string
}
