package containerd

import (
	"context"
	"time"

	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/protobuf/types/known/fieldmaskpb"
)

// managedLabel is how the CRI marks names that it knows. One that stands for another
// image must lose it, or the CRI does not give that image its own name.
const managedLabel = "io.cri-containerd.image"

// Descriptor is what a name stands for: a manifest or an index.
type Descriptor = types.Descriptor

// Name is one name in containerd's image store, of which the CRI follows a moment later.
type Name struct {
	Text   string
	Target *Descriptor
	Labels map[string]string
	// Created is when it was given.
	Created time.Time
}

func nameFrom(image *images.Image) Name {
	return Name{
		Text: image.GetName(), Target: image.GetTarget(), Labels: image.GetLabels(),
		Created: image.GetCreatedAt().AsTime(),
	}
}

// Names lists all names that have a label, all that there are for "".
func (c *Client) Names(ctx context.Context, label string) ([]Name, error) {
	request := &images.ListImagesRequest{}
	if label != "" {
		request.Filters = []string{`labels."` + label + `"`}
	}
	listed, err := c.images.List(ctx, request)
	names := make([]Name, 0, len(listed.GetImages()))
	for _, image := range listed.GetImages() {
		names = append(names, nameFrom(image))
	}
	return names, err
}

// Name returns what a name stands for just now; see IsNotFound.
func (c *Client) Name(ctx context.Context, text string) (Name, error) {
	answer, err := c.images.Get(ctx, &images.GetImageRequest{Name: text})
	return nameFrom(answer.GetImage()), err
}

// CreateName lets a name stand for a target. That is atomic, labels and all, and fails where
// the name is there already; see IsExists.
func (c *Client) CreateName(ctx context.Context, text string, target *Descriptor, labels map[string]string) error {
	_, err := c.images.Create(ctx, &images.CreateImageRequest{Image: &images.Image{
		Name: text, Target: target, Labels: labels,
	}})
	return err
}

// RetargetName lets a name that is there stand for another target; its labels stay, but for
// that of the CRI. The answer is of the same moment as the change.
func (c *Client) RetargetName(ctx context.Context, text string, target *Descriptor) (Name, error) {
	answer, err := c.images.Update(ctx, &images.UpdateImageRequest{
		Image:      &images.Image{Name: text, Target: target},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"target", "labels." + managedLabel}},
	})
	return nameFrom(answer.GetImage()), err
}

// LabelName gives a name that is there a label; the value "" takes it away. Its other labels
// and its target stay, whatever held says. The answer is of the same moment as the change.
func (c *Client) LabelName(ctx context.Context, held Name, label, value string) (Name, error) {
	answer, err := c.images.Update(ctx, &images.UpdateImageRequest{
		// The mask leaves the target alone, but containerd (2.3) crashes without one.
		Image:      &images.Image{Name: held.Text, Target: held.Target, Labels: map[string]string{label: value}},
		UpdateMask: &fieldmaskpb.FieldMask{Paths: []string{"labels." + label}},
	})
	return nameFrom(answer.GetImage()), err
}

// DeleteName takes a name away, and what then nothing refers to; see IsNotFound.
func (c *Client) DeleteName(ctx context.Context, text string) error {
	_, err := c.images.Delete(ctx, &images.DeleteImageRequest{Name: text, Sync: true})
	return err
}
