package kindnode

import (
	"context"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

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

// giveName gives the image a name, which may have stood for another one, and waits
// until the CRI has it so.
func giveName(ctx context.Context, client *containerd.Client, wanted Name, imageID string,
	target *containerd.Descriptor,
) error {
	var labels map[string]string
	if wanted.Owner != "" {
		labels = map[string]string{OwnerLabel: wanted.Owner}
	}
	err := client.CreateName(ctx, wanted.Text, target, labels)
	if containerd.IsExists(err) {
		err = moveName(ctx, client, wanted, target)
	}
	if err != nil {
		return err
	}
	got := ""
	err = containerd.WaitForCRI(ctx, func(ctx context.Context) (bool, error) {
		image, err := client.Image(ctx, wanted.Text)
		if got = image.ID; err != nil || got == imageID {
			return err == nil, err
		}
		held, err := client.Name(ctx, wanted.Text)
		if containerd.IsNotFound(err) || err == nil && held.Target.GetDigest() != target.GetDigest() {
			// Waiting for the CRI would not help.
			return false, &MovedError{Name: wanted.Text}
		}
		return false, err
	})
	if err == nil && got != imageID {
		err = fmt.Errorf("its container runtime has %q under %s instead of %s; run again", got, wanted.Text, imageID)
	}
	return err
}

// moveName moves a name that no record owns. One that is to have an owner only gets
// it.
func moveName(ctx context.Context, client *containerd.Client, wanted Name, target *containerd.Descriptor) error {
	held, err := client.Name(ctx, wanted.Text)
	if err != nil {
		return err
	}
	owner := held.Labels[OwnerLabel]
	same := held.Target.GetDigest() == target.GetDigest()
	switch {
	case owner != "" && owner != wanted.Owner:
		return &TakenError{Name: wanted.Text, Owner: owner}
	case same && wanted.Owner != "" && owner == "":
		return own(ctx, client, held, wanted.Owner)
	case same:
		return nil
	case wanted.Owner != "":
		return &TakenError{Name: wanted.Text}
	}
	return retarget(ctx, client, held, target, "")
}

// retarget lets a name stand for other content. Where a record got the name after it was
// looked at, it goes back.
func retarget(ctx context.Context, client *containerd.Client, held containerd.Name, target *containerd.Descriptor,
	owner string,
) error {
	now, err := client.RetargetName(ctx, held.Text, target)
	has := now.Labels[OwnerLabel]
	if err != nil || has == owner || has == "" {
		return err
	}
	if _, err := client.RetargetName(ctx, held.Text, held.Target); err != nil {
		return err
	}
	return &TakenError{Name: held.Text, Owner: has}
}

// own gives a name the owner label, "" takes it away. Where the name was moved after it was
// looked at, it does not get the label.
func own(ctx context.Context, client *containerd.Client, held containerd.Name, owner string) error {
	now, err := client.LabelName(ctx, held, OwnerLabel, owner)
	if err != nil || now.Target.GetDigest() == held.Target.GetDigest() {
		return err
	}
	if _, err := client.LabelName(ctx, held, OwnerLabel, held.Labels[OwnerLabel]); err != nil {
		return err
	}
	return &MovedError{Name: held.Text}
}
