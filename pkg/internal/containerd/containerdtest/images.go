package containerdtest

import (
	"context"
	"maps"
	"slices"

	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
)

// imagesServer is containerd's. Calls come one at a time: Serve sees to it.
type imagesServer struct {
	images.UnimplementedImagesServer
	node *Node
}

func (s *imagesServer) image(name string) (*images.Image, error) {
	id, ok := s.node.Find(name)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "image %q: not found", name)
	}
	image := &images.Image{Name: name, Target: &types.Descriptor{Digest: s.node.targetOf(id)}}
	if since, known := s.node.Since[name]; known {
		image.CreatedAt = timestamppb.New(since)
	}
	if owner, owned := s.node.Owners[name]; owned {
		image.Labels = map[string]string{s.node.ownerLabel: owner}
	}
	return image, nil
}

func (s *imagesServer) Get(_ context.Context, request *images.GetImageRequest) (*images.GetImageResponse, error) {
	image, err := s.image(request.GetName())
	return &images.GetImageResponse{Image: image}, err
}

// List knows one filter: the names that have an owner.
func (s *imagesServer) List(_ context.Context, request *images.ListImagesRequest) (*images.ListImagesResponse, error) {
	answer := &images.ListImagesResponse{}
	names := slices.Collect(maps.Keys(s.node.Owners))
	if len(request.GetFilters()) == 0 {
		names = slices.AppendSeq(slices.Collect(maps.Keys(s.node.Images)), maps.Keys(s.node.ids))
	}
	for _, name := range names {
		image, err := s.image(name)
		if err != nil {
			return nil, err
		}
		answer.Images = append(answer.Images, image)
	}
	return answer, nil
}

func (s *imagesServer) Create(_ context.Context,
	request *images.CreateImageRequest,
) (*images.CreateImageResponse, error) {
	image := request.GetImage()
	if _, exists := s.node.Images[image.GetName()]; exists {
		return nil, status.Errorf(codes.AlreadyExists, "image %q: already exists", image.GetName())
	}
	s.node.add(image.GetName(), s.node.imageOf(image.GetTarget().GetDigest()))
	s.node.own(image.GetName(), image.GetLabels()[s.node.ownerLabel])
	return &images.CreateImageResponse{Image: image}, nil
}

func (s *imagesServer) Update(_ context.Context,
	request *images.UpdateImageRequest,
) (*images.UpdateImageResponse, error) {
	image := request.GetImage()
	if _, err := s.image(image.GetName()); err != nil {
		return nil, err
	}
	if image.GetTarget() == nil {
		return nil, status.Error(codes.Internal, "an update without a target crashes containerd")
	}
	if request.GetUpdateMask() == nil {
		return nil, status.Error(codes.InvalidArgument, "without a mask, all is replaced, also what came meanwhile")
	}
	for _, path := range request.GetUpdateMask().GetPaths() {
		switch path {
		case "target":
			s.node.add(image.GetName(), s.node.imageOf(image.GetTarget().GetDigest()))
		case "labels." + s.node.ownerLabel:
			s.node.own(image.GetName(), image.GetLabels()[s.node.ownerLabel])
		case "labels.io.cri-containerd.image":
		default:
			return nil, status.Errorf(codes.InvalidArgument, "mask %v", request.GetUpdateMask())
		}
	}
	updated, err := s.image(image.GetName())
	return &images.UpdateImageResponse{Image: updated}, err
}

func (s *imagesServer) Delete(_ context.Context, request *images.DeleteImageRequest) (*emptypb.Empty, error) {
	if _, err := s.image(request.GetName()); err != nil {
		return nil, err
	}
	s.node.Forget(request.GetName())
	delete(s.node.ids, request.GetName())
	return &emptypb.Empty{}, nil
}
