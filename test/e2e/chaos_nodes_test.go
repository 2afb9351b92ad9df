package e2e

import (
	"context"
	"fmt"
	"net"
	"testing"

	ctrd "github.com/containerd/containerd/api/services/images/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// nodeSays is all that the checks want to know of a node.
type nodeSays struct {
	images     images
	owners     map[string]string
	containers []*cri.Container
}

// asked is a node's containerd, as a program on the node would reach it. A check
// after every round would otherwise cost more than the round.
type asked struct {
	images  ctrd.ImagesClient
	cri     cri.ImageServiceClient
	runtime cri.RuntimeServiceClient
}

func askNodes(t *testing.T) map[string]asked {
	t.Helper()
	all := map[string]asked{}
	for _, node := range suite.nodes {
		pid := suite.processes[node]
		if pid == "" {
			t.Fatalf("chaos looks into the nodes through their processes: the engine has to be on this host, and you root")
		}
		socket := fmt.Sprintf("/proc/%s/root/run/containerd/containerd.sock", pid)
		client, err := grpc.NewClient("passthrough:///"+node, grpc.WithTransportCredentials(insecure.NewCredentials()),
			grpc.WithContextDialer(func(ctx context.Context, _ string) (net.Conn, error) {
				return new(net.Dialer).DialContext(ctx, "unix", socket)
			}))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = client.Close() })
		all[node] = asked{ctrd.NewImagesClient(client), cri.NewImageServiceClient(client), cri.NewRuntimeServiceClient(client)}
	}
	return all
}

// says asks the node.
func (a asked) says(ctx context.Context) (nodeSays, error) {
	says := nodeSays{images: images{}, owners: map[string]string{}}
	named, err := a.cri.ListImages(ctx, &cri.ListImagesRequest{})
	if err != nil {
		return says, err
	}
	for _, image := range named.GetImages() {
		for _, name := range append(image.GetRepoTags(), image.GetRepoDigests()...) {
			says.images[name] = image.GetId()
		}
	}
	owned, err := a.images.List(metadata.AppendToOutgoingContext(ctx, "containerd-namespace", "k8s.io"),
		&ctrd.ListImagesRequest{Filters: []string{`labels."e2eimage.dev/owner"`}})
	if err != nil {
		return says, err
	}
	for _, image := range owned.GetImages() {
		says.owners[image.GetName()] = image.GetLabels()["e2eimage.dev/owner"]
	}
	running, err := a.runtime.ListContainers(ctx, &cri.ListContainersRequest{Filter: &cri.ContainerFilter{
		State: &cri.ContainerStateValue{State: cri.ContainerState_CONTAINER_RUNNING},
	}})
	says.containers = running.GetContainers()
	return says, err
}

// tag gives an image of the node another name, or moves that.
func (a asked) tag(ctx context.Context, from, to string) error {
	ctx = metadata.AppendToOutgoingContext(ctx, "containerd-namespace", "k8s.io")
	image, err := a.images.Get(ctx, &ctrd.GetImageRequest{Name: from})
	if err != nil {
		return err
	}
	named := &ctrd.Image{Name: to, Target: image.GetImage().GetTarget(), Labels: image.GetImage().GetLabels()}
	if _, err = a.images.Create(ctx, &ctrd.CreateImageRequest{Image: named}); err != nil {
		_, err = a.images.Update(ctx, &ctrd.UpdateImageRequest{Image: named})
	}
	return err
}
