package kindnode

import (
	"context"
	"fmt"

	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc/codes"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// managedLabel is how the CRI marks names that it knows. One that stands for another
// image must lose it, or the CRI does not give that image its own name.
const managedLabel = "io.cri-containerd.image"

// Name is one that an image gets.
type Name struct {
	// Text like localhost/x:dev.
	Text string
	// Owner is the value of the label e2eimage.dev/owner, "" for a name that
	// belongs to nobody and may move.
	Owner string
}

// TakenError says that a name cannot be had: it is of a record, or stands for another
// image although it is to be of one.
type TakenError struct {
	Name string
	// Owner is the record that has it, "" for none.
	Owner string
}

func (e *TakenError) Error() string {
	if e.Owner == "" {
		return fmt.Sprintf("%s is another image there already; choose another --tag or --repository", e.Name)
	}
	return fmt.Sprintf("%s is the recorded image of %s (namespace.consumer.name) and must keep its content", e.Name,
		e.Owner)
}

// MovedError says that somebody else gave a name to another image at the same time.
type MovedError struct {
	Name string
	// ImageID that has it now, "" where that is not known.
	ImageID string
}

func (e *MovedError) Error() string {
	now := "something else"
	if e.ImageID != "" {
		now = e.ImageID
	}
	return fmt.Sprintf("another load gave %s to %s at the same time; run again if yours is the right content", e.Name, now)
}

// name gives the image a name, which may have stood for another one, and waits
// until the CRI has it so.
func (s *session) name(ctx context.Context, wanted Name, imageID string, target *types.Descriptor) error {
	name, labels := wanted.Text, map[string]string(nil)
	if wanted.Owner != "" {
		labels = map[string]string{OwnerLabel: wanted.Owner}
	}
	_, err := s.images.Create(ctx, &images.CreateImageRequest{Image: &images.Image{
		Name: name, Target: target,
		Labels: labels,
	}})
	if isCode(err, codes.AlreadyExists) {
		err = s.rename(ctx, wanted, imageID, target)
	}
	if err != nil {
		return err
	}
	got := ""
	err = s.settled(ctx, func(ctx context.Context) (bool, error) {
		image, err := s.image(ctx, name)
		if got = image.GetId(); err != nil || got == imageID {
			return err == nil, err
		}
		held, err := s.images.Get(ctx, &images.GetImageRequest{Name: name})
		if isCode(err, codes.NotFound) || err == nil && held.GetImage().GetTarget().GetDigest() != target.GetDigest() {
			// Waiting for the CRI would not help.
			return false, &MovedError{Name: name}
		}
		return false, err
	})
	if err == nil && got != imageID {
		err = fmt.Errorf("its container runtime has %q under %s instead of %s; run again", got, name, imageID)
	}
	return err
}

// rename moves a name that no record owns. One that is to have an owner only gets
// it.
func (s *session) rename(ctx context.Context, wanted Name, imageID string, target *types.Descriptor) error {
	answer, err := s.images.Get(ctx, &images.GetImageRequest{Name: wanted.Text})
	if err != nil {
		return err
	}
	held := answer.GetImage()
	owner := held.GetLabels()[OwnerLabel]
	same := held.GetTarget().GetDigest() == target.GetDigest()
	switch {
	case owner != "" && owner != wanted.Owner:
		return &TakenError{Name: wanted.Text, Owner: owner}
	case same && wanted.Owner != "" && owner == "":
		return s.own(ctx, held, wanted.Owner)
	case same:
		return nil
	case wanted.Owner != "":
		return &TakenError{Name: wanted.Text}
	}
	return s.retarget(ctx, held, target, "")
}

// retarget lets a name stand for other content. The answer is of the same moment as
// the change: where a record got the name after it was looked at, it goes back.
func (s *session) retarget(ctx context.Context, held *images.Image, target *types.Descriptor, owner string) error {
	to := func(target *types.Descriptor) (string, error) {
		answer, err := s.images.Update(ctx, &images.UpdateImageRequest{
			Image:      &images.Image{Name: held.GetName(), Target: target},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"target", "labels." + managedLabel}},
		})
		return answer.GetImage().GetLabels()[OwnerLabel], err
	}
	has, err := to(target)
	if err != nil || has == owner || has == "" {
		return err
	}
	if _, err := to(held.GetTarget()); err != nil {
		return err
	}
	return &TakenError{Name: held.GetName(), Owner: has}
}

// own gives a name the owner label, "" takes it away; its other labels stay. Where the
// name was moved after it was looked at, it does not get the label.
func (s *session) own(ctx context.Context, held *images.Image, owner string) error {
	label := func(owner string) (*images.UpdateImageResponse, error) {
		return s.images.Update(ctx, &images.UpdateImageRequest{
			// The mask leaves the target alone, but containerd (2.3) crashes without one.
			Image: &images.Image{
				Name: held.GetName(), Target: held.GetTarget(),
				Labels: map[string]string{OwnerLabel: owner},
			},
			UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels." + OwnerLabel}},
		})
	}
	answer, err := label(owner)
	if err != nil || answer.GetImage().GetTarget().GetDigest() == held.GetTarget().GetDigest() {
		return err
	}
	if _, err := label(held.GetLabels()[OwnerLabel]); err != nil {
		return err
	}
	return &MovedError{Name: held.GetName()}
}
