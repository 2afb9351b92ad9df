package kindnode

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc/codes"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// TagOp adds one name to an image of a node.
type TagOp struct {
	ImageID string
	Target  string
	// Owner is the value of the containerd label e2eimage.dev/owner that the
	// name gets, also one that is there already, for the same content, and that
	// nobody owns.
	Owner string
	// From is another owner that gives way, "" for none.
	From string
	// Move lets a name of the same owner take other content.
	Move bool
	// Back lets a name that nobody owns any more take this content, too: somebody
	// else gave it to another image.
	Back bool
}

// Tagged is what became of a TagOp on one node.
type Tagged struct {
	Target string
	// Added is false when the name was there already.
	Added bool
	// ImageID that the CRI now has under the name, "" when it has none.
	ImageID string
	// Owner label that the name carries, "" for none.
	Owner string
}

// Tag carries out the operations on the named nodes side by side. Existing names
// are never overwritten, but for an owner's own that are to move or to go back; callers
// compare Tagged.ImageID with what they wanted.
// When ctx ends, operations that have begun are waited for, no new ones begin.
func (c *Cluster) Tag(ctx context.Context, nodes []string, ops []TagOp) (map[string][]Tagged, error) {
	return change(ctx, c, nodes, ops, (*session).tag)
}

func (s *session) tag(ctx context.Context, op TagOp) (Tagged, error) {
	content, err := s.content(ctx, op.ImageID)
	if err != nil {
		return Tagged{}, err
	}
	done := Tagged{Target: op.Target, Added: true, Owner: op.Owner}
	// Creation is atomic, label and all, and fails when the name exists.
	_, err = s.images.Create(ctx, &images.CreateImageRequest{Image: &images.Image{
		Name: op.Target, Target: content, Labels: map[string]string{OwnerLabel: op.Owner},
	}})
	if isCode(err, codes.AlreadyExists) {
		held, err := s.images.Get(ctx, &images.GetImageRequest{Name: op.Target})
		if err != nil {
			return Tagged{}, err
		}
		image := held.GetImage()
		done.Added, done.Owner = false, image.GetLabels()[OwnerLabel]
		same := image.GetTarget().GetDigest() == content.GetDigest()
		if !same && (op.Move && done.Owner == op.Owner || op.Back && (done.Owner == op.Owner || done.Owner == "")) {
			// What it stood for stays, so that it can be moved back.
			if err := s.retarget(ctx, image, content, op.Owner); err != nil {
				return done, err
			}
			image.Target, same = content, true
		}
		if !same {
			// Perhaps the same image, as another tool has written it.
			has, err := s.image(ctx, op.Target)
			if done.ImageID = has.GetId(); err != nil || done.ImageID != op.ImageID {
				return done, err
			}
		}
		if done.Owner != op.Owner && (done.Owner == "" || done.Owner == op.From) {
			if err := s.own(ctx, image, op.Owner); err != nil {
				return done, err
			}
			done.Owner = op.Owner
		}
	} else if err != nil {
		return Tagged{}, err
	}
	// The CRI learns of a name from containerd's events, usually at once.
	err = s.settled(ctx, func(ctx context.Context) (bool, error) {
		image, err := s.image(ctx, op.Target)
		done.ImageID = image.GetId()
		return done.ImageID == op.ImageID, err
	})
	return done, err
}

// GoneError says that a node has lost an image since it was looked at.
type GoneError struct{ ImageID string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("image %s is not there any more; load it again", e.ImageID)
}

// content returns what the image's names on the node stand for. The CRI's own
// name for an image is its ID, but an image that was imported over another one
// under the same tag does not get it: then any of its other names will do, since
// the image ID is checked afterwards.
func (s *session) content(ctx context.Context, imageID string) (*types.Descriptor, error) {
	found, err := s.images.Get(ctx, &images.GetImageRequest{Name: imageID})
	if err == nil {
		return found.GetImage().GetTarget(), nil
	}
	image, lookErr := s.image(ctx, imageID)
	if !isCode(err, codes.NotFound) || lookErr != nil {
		return nil, firstOf(lookErr, err)
	}
	for _, name := range append(image.GetRepoTags(), image.GetRepoDigests()...) {
		if found, err = s.images.Get(ctx, &images.GetImageRequest{Name: name}); err == nil {
			return found.GetImage().GetTarget(), nil
		}
	}
	if isCode(err, codes.NotFound) {
		return nil, &GoneError{ImageID: imageID}
	}
	return nil, err
}

// image returns the image as the CRI has it under a name or image ID, nil when it
// has none.
func (s *session) image(ctx context.Context, name string) (*cri.Image, error) {
	answer, err := s.cri.ImageStatus(ctx, &cri.ImageStatusRequest{Image: &cri.ImageSpec{Image: name}})
	return answer.GetImage(), err
}
