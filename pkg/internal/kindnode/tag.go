package kindnode

import (
	"cmp"
	"context"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

// Tag carries out the operations on the named nodes side by side. Existing names
// are never overwritten, but for an owner's own that are to move or to go back; callers
// compare Tagged.ImageID with what they wanted.
// When ctx ends, operations that have begun are waited for, no new ones begin.
func (c *Cluster) Tag(ctx context.Context, nodes []string, ops []TagOp) (map[string][]Tagged, error) {
	return change(ctx, c, nodes, ops, tag)
}

func tag(ctx context.Context, client *containerd.Client, op TagOp) (Tagged, error) {
	content, err := contentOf(ctx, client, op.ImageID)
	if err != nil {
		return Tagged{}, err
	}
	done := Tagged{Target: op.Target, Added: true, Owner: op.Owner}
	err = client.CreateName(ctx, op.Target, content, map[string]string{OwnerLabel: op.Owner})
	if containerd.IsExists(err) {
		var has bool
		if done, has, err = tagExisting(ctx, client, op, content); !has {
			return done, err
		}
	}
	if err != nil {
		return Tagged{}, err
	}
	// The CRI learns of a name from containerd's events, usually at once.
	err = containerd.WaitForCRI(ctx, func(ctx context.Context) (bool, error) {
		image, err := client.Image(ctx, op.Target)
		done.ImageID = image.ID
		return done.ImageID == op.ImageID, err
	})
	return done, err
}

// tagExisting does what may be done with a name that is there already, and tells whether
// it now stands for the image.
func tagExisting(ctx context.Context, client *containerd.Client, op TagOp, content *containerd.Descriptor,
) (done Tagged, has bool, err error) {
	held, err := client.Name(ctx, op.Target)
	if err != nil {
		return Tagged{}, false, err
	}
	done = Tagged{Target: op.Target, Owner: held.Labels[OwnerLabel]}
	same := held.Target.GetDigest() == content.GetDigest()
	if !same && (op.Move && done.Owner == op.Owner || op.Back && (done.Owner == op.Owner || done.Owner == "")) {
		// What it stood for stays, so that it can be moved back.
		if err := retarget(ctx, client, held, content, op.Owner); err != nil {
			return done, false, err
		}
		held.Target, same = content, true
	}
	if !same {
		// Perhaps the same image, as another tool has written it.
		image, err := client.Image(ctx, op.Target)
		if done.ImageID = image.ID; err != nil || image.ID != op.ImageID {
			return done, false, err
		}
	}
	if done.Owner != op.Owner && (done.Owner == "" || done.Owner == op.From) {
		if err := own(ctx, client, held, op.Owner); err != nil {
			return done, false, err
		}
		done.Owner = op.Owner
	}
	return done, true, nil
}

// contentOf returns what the image's names on the node stand for. The CRI's own
// name for an image is its ID, but an image that was imported over another one
// under the same tag does not get it: then any of its other names will do, since
// the image ID is checked afterwards.
func contentOf(ctx context.Context, client *containerd.Client, imageID string) (*containerd.Descriptor, error) {
	found, err := client.Name(ctx, imageID)
	if err == nil {
		return found.Target, nil
	}
	image, lookErr := client.Image(ctx, imageID)
	if !containerd.IsNotFound(err) || lookErr != nil {
		return nil, cmp.Or(lookErr, err)
	}
	for _, name := range slices.Concat(image.RepoTags, image.RepoDigests) {
		if found, err = client.Name(ctx, name); err == nil {
			return found.Target, nil
		}
	}
	if containerd.IsNotFound(err) {
		return nil, &GoneError{ImageID: imageID}
	}
	return nil, err
}
