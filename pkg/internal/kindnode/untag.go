package kindnode

import (
	"context"
	"regexp"
	"slices"

	"github.com/containerd/containerd/api/services/images/v1"
	"google.golang.org/grpc/codes"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// UntagOp takes one name away, if it carries the owner label.
type UntagOp struct {
	Name  string
	Owner string
}

// Untagged is what became of an UntagOp on one node.
type Untagged struct {
	Name string
	// Removed is false when the name was absent or is not the owner's.
	Removed bool
	ImageID string
	// Freed tells that the image went too, since nothing named or ran it.
	Freed bool
}

// Untag takes names away on the named nodes side by side. Names without the
// owner's label are left alone. When ctx ends, operations that have begun are
// waited for, no new ones begin.
func (c *Cluster) Untag(ctx context.Context, nodes []string, ops []UntagOp) (map[string][]Untagged, error) {
	return change(ctx, c, nodes, ops, (*session).untag)
}

func (s *session) untag(ctx context.Context, op UntagOp) (Untagged, error) {
	done := Untagged{Name: op.Name}
	held, err := s.images.Get(ctx, &images.GetImageRequest{Name: op.Name})
	if isCode(err, codes.NotFound) {
		return done, nil
	}
	if err != nil || held.GetImage().GetLabels()[OwnerLabel] != op.Owner {
		return done, err
	}
	image, err := s.image(ctx, op.Name)
	if err != nil {
		return done, err
	}
	done.ImageID = image.GetId()
	_, err = s.images.Delete(ctx, &images.DeleteImageRequest{Name: op.Name, Sync: true})
	if isCode(err, codes.NotFound) {
		return Untagged{Name: op.Name}, nil
	}
	if err != nil || done.ImageID == "" {
		done.Removed = err == nil
		return done, err
	}
	done.Removed = true
	done.Freed, err = s.free(ctx, done.ImageID, op.Name)
	return done, err
}

// leftover is what `kind load` names an image besides: nobody refers to it.
var leftover = regexp.MustCompile(`^docker\.io/library/import-[0-9-]*@sha256:`)

// free removes an image when, its name gone, nothing names or runs it.
func (s *session) free(ctx context.Context, imageID, gone string) (bool, error) {
	var image *cri.Image
	// The CRI forgets a name a moment after containerd did.
	err := s.settled(ctx, func(ctx context.Context) (bool, error) {
		var err error
		image, err = s.image(ctx, imageID)
		return !slices.Contains(image.GetRepoTags(), gone), err
	})
	if err != nil || image == nil {
		return err == nil, err
	}
	// containerd keeps the CRI's own name of the image, its ID, in most cases.
	names := []string{imageID}
	for _, digest := range image.GetRepoDigests() {
		if !leftover.MatchString(digest) {
			return false, nil
		}
		names = append(names, digest)
	}
	if len(image.GetRepoTags()) > 0 {
		return false, nil
	}
	use, err := s.state(ctx, listContainers, listPods)
	if err != nil || use.Runs(imageID) {
		return false, err
	}
	// Name by name, not by the CRI's RemoveImage: that would also take a tag
	// which another run gave the image just now.
	for _, name := range names {
		_, err := s.images.Delete(ctx, &images.DeleteImageRequest{Name: name, Sync: true})
		if err != nil && !isCode(err, codes.NotFound) {
			return false, err
		}
	}
	return true, nil
}
