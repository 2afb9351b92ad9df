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
	// The tag goes last: a run that is killed in between leaves a tag that the
	// record names, not an image that nothing does.
	if err := s.free(ctx, image, op.Name); err != nil {
		return done, err
	}
	_, err = s.images.Delete(ctx, &images.DeleteImageRequest{Name: op.Name, Sync: true})
	if err != nil && !isCode(err, codes.NotFound) {
		return done, err
	}
	done.Removed = err == nil
	done.Freed, err = s.gone(ctx, done.ImageID, op.Name)
	return done, err
}

// Disown leaves names on the named nodes to nobody, where they carry the owner label.
func (c *Cluster) Disown(ctx context.Context, nodes []string, ops []UntagOp) error {
	_, err := change(ctx, c, nodes, ops, func(s *session, ctx context.Context, op UntagOp) (struct{}, error) {
		held, err := s.images.Get(ctx, &images.GetImageRequest{Name: op.Name})
		if err == nil && held.GetImage().GetLabels()[OwnerLabel] == op.Owner {
			err = s.own(ctx, held.GetImage(), "")
		}
		if isCode(err, codes.NotFound) {
			err = nil
		}
		return struct{}{}, err
	})
	return err
}

// Free takes images away on the named nodes that nobody refers to and nothing runs.
func (c *Cluster) Free(ctx context.Context, nodes, imageIDs []string) error {
	_, err := change(ctx, c, nodes, imageIDs, func(s *session, ctx context.Context, imageID string) (struct{}, error) {
		image, err := s.image(ctx, imageID)
		if err == nil {
			err = s.free(ctx, image, "")
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
func (s *session) free(ctx context.Context, image *cri.Image, going string) error {
	isOther := func(name string) bool { return name != going && !leftover.MatchString(name) }
	if image == nil || slices.ContainsFunc(image.GetRepoTags(), isOther) ||
		slices.ContainsFunc(image.GetRepoDigests(), isOther) {
		return nil
	}
	use, err := s.state(ctx, listContainers, listPods)
	if err != nil || use.Runs(image.GetId()) {
		return err
	}
	// Name by name, not by the CRI's RemoveImage: that would also take a tag
	// which another run gives the image just now.
	for _, name := range append([]string{image.GetId()}, image.GetRepoDigests()...) {
		_, err := s.images.Delete(ctx, &images.DeleteImageRequest{Name: name, Sync: true})
		if err != nil && !isCode(err, codes.NotFound) {
			return err
		}
	}
	return nil
}

// gone tells whether the image went with its name. Where another run took the
// last other name away at the same time, it is freed now.
func (s *session) gone(ctx context.Context, imageID, name string) (bool, error) {
	if imageID == "" {
		return false, nil
	}
	var image *cri.Image
	// The CRI forgets a name a moment after containerd did.
	err := s.settled(ctx, func(ctx context.Context) (bool, error) {
		var err error
		image, err = s.image(ctx, imageID)
		return !slices.Contains(image.GetRepoTags(), name), err
	})
	if err != nil || image == nil {
		return err == nil, err
	}
	if err := s.free(ctx, image, name); err != nil {
		return false, err
	}
	image, err = s.image(ctx, imageID)
	return err == nil && image == nil, err
}
