package containerdtest

import (
	"context"

	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// imageService and runtimeService are the CRI's.
type imageService struct {
	cri.UnimplementedImageServiceServer
	node *Node
}

func (s *imageService) image(id string) *cri.Image {
	return &cri.Image{Id: id, RepoTags: s.node.names(id)}
}

func (s *imageService) ListImages(context.Context, *cri.ListImagesRequest) (*cri.ListImagesResponse, error) {
	answer := &cri.ListImagesResponse{}
	for _, id := range s.node.listed() {
		answer.Images = append(answer.Images, s.image(id))
	}
	return answer, nil
}

func (s *imageService) ImageStatus(_ context.Context,
	request *cri.ImageStatusRequest,
) (*cri.ImageStatusResponse, error) {
	id, ok := s.node.Find(request.GetImage().GetImage())
	if !ok && len(s.node.names(id)) == 0 {
		return &cri.ImageStatusResponse{}, nil
	}
	return &cri.ImageStatusResponse{Image: s.image(id)}, nil
}

type runtimeService struct {
	cri.UnimplementedRuntimeServiceServer
	node *Node
}

func (s *runtimeService) ListContainers(context.Context,
	*cri.ListContainersRequest,
) (*cri.ListContainersResponse, error) {
	answer := &cri.ListContainersResponse{}
	for _, c := range s.node.Containers {
		state := cri.ContainerState_CONTAINER_RUNNING
		if c.Exited {
			state = cri.ContainerState_CONTAINER_EXITED
		}
		answer.Containers = append(answer.Containers, &cri.Container{
			Id: c.ID, PodSandboxId: c.PodID, ImageRef: c.ImageRef, State: state, CreatedAt: c.Created.UnixNano(),
			Image:  &cri.ImageSpec{UserSpecifiedImage: c.Image},
			Labels: map[string]string{"io.kubernetes.pod.namespace": c.Namespace, "io.kubernetes.pod.name": c.Pod},
		})
	}
	return answer, nil
}

func (s *runtimeService) ListPodSandbox(context.Context,
	*cri.ListPodSandboxRequest,
) (*cri.ListPodSandboxResponse, error) {
	answer := &cri.ListPodSandboxResponse{}
	for _, id := range s.node.Pods {
		answer.Items = append(answer.Items, &cri.PodSandbox{Id: id})
	}
	return answer, nil
}
