package kindnode

import (
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
)

// What nodes have in common with other places of images.
type (
	State      = images.State
	States     = images.States
	Image      = images.Image
	Container  = images.Container
	Pulled     = images.Pulled
	Owned      = images.Owned
	Name       = images.Name
	TagOp      = images.TagOp
	Tagged     = images.Tagged
	UntagOp    = images.UntagOp
	Untagged   = images.Untagged
	Watcher    = images.Watcher
	Delivered  = images.Delivered
	TakenError = images.TakenError
	MovedError = images.MovedError
	GoneError  = images.GoneError
)

// NoResponseError says that a node did not answer in time.
type NoResponseError = containerd.NoResponseError
