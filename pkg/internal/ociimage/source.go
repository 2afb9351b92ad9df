package ociimage

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/opencontainers/go-digest"
)

// Receiver takes an image's layers.
type Receiver interface {
	// Wants tells whether anybody lacks the layer; "" asks for any at all.
	Wants(ctx context.Context, diffID digest.Digest) (bool, error)
	// Layer takes one layer without compression and returns its digest. diffID
	// is "" when only reading tells; otherwise content that does not match it is
	// an error.
	Layer(ctx context.Context, diffID digest.Digest, content io.Reader) (digest.Digest, error)
}

// Source is where one image comes from.
type Source interface {
	// Image tells what is known before anything is read; ok is false when only
	// reading tells.
	Image() (image Image, ok bool)
	// Read hands over the layers that are wanted, each once, and returns the
	// image with its config. It can be called once.
	Read(ctx context.Context, to Receiver) (Image, error)
	Close() error
}

// Choice says which of several images is meant.
type Choice struct {
	// Name like localhost/x:dev, "" for the only one.
	Name string
	// ID is the image ID, "" for any.
	ID digest.Digest
	// Platform of the nodes, like linux/amd64.
	Platform string
}

// ContentError says that content is not what its digest says.
type ContentError struct {
	What      string
	Want, Got digest.Digest
}

func (e *ContentError) Error() string {
	return fmt.Sprintf("%s is damaged: its content is %s instead of %s; create it again", e.What, ShortID(e.Got.String()),
		ShortID(e.Want.String()))
}

// ChoiceError says that an archive has several images, or not the one that is
// meant.
type ChoiceError struct {
	Choice Choice
	// Names and Platforms that there are.
	Names, Platforms []string
}

func (e *ChoiceError) Error() string {
	have := "it has " + strings.Join(e.Names, ", ")
	if len(e.Names) == 0 {
		have = "none in it has a name"
	}
	switch {
	case len(e.Platforms) > 0:
		return fmt.Sprintf("no image for %s, the platform of the nodes; there is %s; build it for %s", e.Choice.Platform,
			strings.Join(e.Platforms, ", "), e.Choice.Platform)
	case e.Choice.Name != "":
		return fmt.Sprintf("no image %s; %s", e.Choice.Name, have)
	}
	return fmt.Sprintf("several images; %s\nchoose one: add :NAME to the path", have)
}
