package kindnode

import (
	"context"
	"regexp"
	"slices"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
)

// Untag takes names away on the named nodes side by side. Names without the
// owner's label are left alone. When ctx ends, operations that have begun are
// waited for, no new ones begin.
func (c *Cluster) Untag(ctx context.Context, nodes []string, ops []UntagOp) (map[string][]Untagged, error) {
	return change(ctx, c, nodes, ops, untag)
}

func untag(ctx context.Context, client *containerd.Client, op UntagOp) (Untagged, error) {
	done := Untagged{Name: op.Name}
	held, err := client.Name(ctx, op.Name)
	if containerd.IsNotFound(err) {
		return done, nil
	}
	if err != nil || held.Labels[OwnerLabel] != op.Owner {
		return done, err
	}
	image, err := client.Image(ctx, op.Name)
	if err != nil {
		return done, err
	}
	done.ImageID = image.ID
	// The tag goes last: a run that is killed in between leaves a tag that the
	// record names, not an image that nothing does.
	if err := free(ctx, client, image, op.Name); err != nil {
		return done, err
	}
	err = client.DeleteName(ctx, op.Name)
	if err != nil && !containerd.IsNotFound(err) {
		return done, err
	}
	done.Removed = err == nil
	done.Freed, err = gone(ctx, client, done.ImageID, op.Name)
	return done, err
}

// Disown leaves names on the named nodes to nobody, where they carry the owner label.
func (c *Cluster) Disown(ctx context.Context, nodes []string, ops []UntagOp) error {
	_, err := change(ctx, c, nodes, ops, disown)
	return err
}

func disown(ctx context.Context, client *containerd.Client, op UntagOp) (struct{}, error) {
	held, err := client.Name(ctx, op.Name)
	if err == nil && held.Labels[OwnerLabel] == op.Owner {
		err = own(ctx, client, held, "")
	}
	if containerd.IsNotFound(err) {
		err = nil
	}
	return struct{}{}, err
}

// Free takes images away on the named nodes that nobody refers to and nothing runs.
func (c *Cluster) Free(ctx context.Context, nodes, imageIDs []string) error {
	_, err := change(ctx, c, nodes, imageIDs,
		func(ctx context.Context, client *containerd.Client, imageID string) (struct{}, error) {
			image, err := client.Image(ctx, imageID)
			if err == nil {
				err = free(ctx, client, image, "")
			}
			return struct{}{}, err
		})
	return err
}

// leftover is what `kind load` names an image besides: nobody refers to it.
var leftover = regexp.MustCompile(`^docker\.io/library/import-[0-9-]*@sha256:`)

// free takes away what else names an image if, but for the name that goes, nobody
// refers to it and nothing runs it: the CRI's own name for it, which is its ID,
// and leftovers.
func free(ctx context.Context, client *containerd.Client, image containerd.Image, going string) error {
	isOther := func(name string) bool { return name != going && !leftover.MatchString(name) }
	if image.ID == "" || slices.ContainsFunc(image.RepoTags, isOther) || slices.ContainsFunc(image.RepoDigests, isOther) {
		return nil
	}
	use, err := look(ctx, client, atContainers, atPods)
	if err != nil || use.Runs(image.ID) {
		return err
	}
	// Name by name, not by the CRI's RemoveImage: that would also take a tag
	// which another run gives the image just now.
	for _, name := range append([]string{image.ID}, image.RepoDigests...) {
		if err := client.DeleteName(ctx, name); err != nil && !containerd.IsNotFound(err) {
			return err
		}
	}
	return nil
}

// gone tells whether the image went with its name. Where another run took the
// last other name away at the same time, it is freed now.
func gone(ctx context.Context, client *containerd.Client, imageID, name string) (bool, error) {
	if imageID == "" {
		return false, nil
	}
	var image containerd.Image
	// The CRI forgets a name a moment after containerd did.
	err := containerd.WaitForCRI(ctx, func(ctx context.Context) (bool, error) {
		var err error
		image, err = client.Image(ctx, imageID)
		return !slices.Contains(image.RepoTags, name), err
	})
	if err != nil || image.ID == "" {
		return err == nil, err
	}
	if err := free(ctx, client, image, name); err != nil {
		return false, err
	}
	image, err = client.Image(ctx, imageID)
	return err == nil && image.ID == "", err
}
