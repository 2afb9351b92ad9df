package containerd

import (
	"cmp"
	"context"
	"errors"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
)

// Image and Container are as the CRI lists them: what the kubelet can run, and runs.
type (
	Image     = images.Image
	Container = images.Container
)

func imageFrom(image *cri.Image) Image {
	return Image{ID: image.GetId(), RepoTags: image.GetRepoTags(), RepoDigests: image.GetRepoDigests()}
}

// Images lists all images that the CRI has.
func (c *Client) Images(ctx context.Context) ([]Image, error) {
	listed, err := c.cri.ListImages(ctx, &cri.ListImagesRequest{})
	var all []Image
	for _, image := range listed.GetImages() {
		all = append(all, imageFrom(image))
	}
	return all, err
}

// Image returns the image that the CRI has under a name or image ID; one without an ID where
// it has none.
func (c *Client) Image(ctx context.Context, name string) (Image, error) {
	answer, err := c.cri.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
	return imageFrom(answer.GetImage()), err
}

// Containers lists the CRI's containers, running or not.
func (c *Client) Containers(ctx context.Context) ([]Container, error) {
	listed, err := c.runtime.ListContainers(ctx, &cri.ListContainersRequest{})
	var all []Container
	for _, container := range listed.GetContainers() {
		all = append(all, containerFrom(container))
	}
	return all, err
}

// containerFrom reads what the CRI says of a container. Its image ID has a field of its own,
// which containerd leaves empty so far. There imageRef has it; where both are said,
// imageRef may be a name with a digest of something else.
func containerFrom(container *cri.Container) Container {
	return Container{
		ID: container.GetId(), ImageRef: cmp.Or(container.GetImageId(), container.GetImageRef()),
		PodID: container.GetPodSandboxId(), Image: container.GetImage().GetUserSpecifiedImage(),
		Exited:  container.GetState() == cri.ContainerState_CONTAINER_EXITED,
		Created: time.Unix(0, container.GetCreatedAt()),
		// k8s.io/kubernetes/pkg/kubelet/types/labels.go
		Namespace: container.GetLabels()["io.kubernetes.pod.namespace"],
		Pod:       container.GetLabels()["io.kubernetes.pod.name"],
	}
}

// Pods lists the IDs of the pod sandboxes that are ready.
func (c *Client) Pods(ctx context.Context) ([]string, error) {
	listed, err := c.runtime.ListPodSandbox(ctx, &cri.ListPodSandboxRequest{Filter: &cri.PodSandboxFilter{
		State: &cri.PodSandboxStateValue{State: cri.PodSandboxState_SANDBOX_READY},
	}})
	var all []string
	for _, sandbox := range listed.GetItems() {
		all = append(all, sandbox.GetId())
	}
	return all, err
}

// criLag is how the CRI is waited for, which handles containerd's events a moment
// after they happened and has no event of its own to tell: 10 seconds in all.
var criLag = wait.Backoff{Duration: 2 * time.Millisecond, Factor: 1.3, Steps: 29}

// WaitForCRI asks until the CRI has followed containerd, or for 10 seconds. That it
// has not followed is for the caller to see, no error.
func WaitForCRI(ctx context.Context, has func(context.Context) (bool, error)) error {
	err := wait.ExponentialBackoffWithContext(ctx, criLag, has)
	if wait.Interrupted(err) && ctx.Err() == nil {
		return nil
	}
	if ctx.Err() != nil && errors.Is(err, ctx.Err()) {
		return context.Cause(ctx)
	}
	return err
}
