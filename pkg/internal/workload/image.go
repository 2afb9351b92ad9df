package workload

import (
	"context"
	"time"

	corev1 "k8s.io/api/core/v1"
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
	// Accompanies: manifests need not have it.
	Accompanies bool
	// Workloads as [NAMESPACE/]KIND/NAME, with kubectl's short kinds.
	Workloads []string
	// Containers to set; empty for those that an alias matches, else the only one.
	Containers []string
	// PullPolicy to set: Never or IfNotPresent; "" keeps it, but Always becomes
	// Never, since the image is in no registry.
	PullPolicy string
	// Timeout of the rollout; 0 leaves it to the context.
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

// Action is what was done to a workload, in kubectl's words.
type Action string

// What is done to a workload.
const (
	// Unchanged: image and policy were right already.
	Unchanged    Action = "unchanged"
	ImageUpdated Action = "image updated"
	Replaced     Action = "replaced"
	// Created and Configured are objects of manifests.
	Created    Action = "created"
	Configured Action = "configured"
)

// Change is what became of one workload.
type Change struct {
	// Name as kubectl prints it, like deployment.apps/datastorage.
	Name      string `json:"name"`
	Namespace string `json:"namespace"`
	Action    Action `json:"action"`
	// Generation of the workload afterwards.
	Generation int64 `json:"generation"`
	// Containers that run the images, changed or not.
	Containers []ContainerChange `json:"containers"`
}

// ContainerChange is a container that runs one of the images.
type ContainerChange struct {
	Name string `json:"name"`
	Init bool   `json:"init,omitempty"`
	// ImageName is Image.Name.
	ImageName string `json:"imageName"`
	// Image and PullPolicy that it has now; Was is the image before.
	Image      string            `json:"image"`
	Was        string            `json:"was"`
	PullPolicy corev1.PullPolicy `json:"pullPolicy,omitempty"`
}

// Running is a container that runs one of the images.
type Running struct {
	Namespace string `json:"namespace"`
	Pod       string `json:"pod"`
	PodUID    string `json:"podUID"`
	Container string `json:"container"`
	Node      string `json:"node"`
	// ContainerID without its runtime prefix.
	ContainerID string `json:"containerID"`
	// ImageName is Image.Name.
	ImageName string `json:"imageName"`
	// Probed: a readiness probe says that it is ready, not only that it runs.
	Probed bool `json:"probed,omitempty"`
	// Ended: the pod had ended, so that its containers may be gone from the node.
	Ended bool `json:"ended,omitempty"`
	// Init containers have ended by now: only `crictl ps -a` lists them.
	Init bool `json:"init,omitempty"`
}
