package e2eimage

import "github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"

// A registry can be a store, though no verb has one yet.
var _ imageStore = (*registry.Part)(nil)
