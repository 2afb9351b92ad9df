package kindnode

import (
	"context"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

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
