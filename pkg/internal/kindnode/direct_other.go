//go:build !linux

package kindnode

import (
	"context"
	"errors"
)

// connectDirectly is for hosts whose engine shares their kernel.
func connectDirectly(context.Context, Node) (*link, error) {
	return nil, errors.New("the engine runs in a VM")
}
