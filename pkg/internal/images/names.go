package images

import "fmt"

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

// GoneError says that a node has lost an image since it was looked at.
type GoneError struct{ ImageID string }

func (e *GoneError) Error() string {
	return fmt.Sprintf("image %s is not there any more; load it again", e.ImageID)
}
