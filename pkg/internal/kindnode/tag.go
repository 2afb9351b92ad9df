package kindnode

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
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

// GoneError says that a node has lost an image since it was looked at.
type GoneError struct{ ImageID string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("image %s is not there any more; load it again", e.ImageID)
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
