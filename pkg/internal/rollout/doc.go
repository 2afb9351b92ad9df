// Package rollout watches workloads that were deployed until their rollout is done or
// cannot succeed any more, and says why. It also sees which workloads and pods use an
// image.
//
// It reads Node objects to say why a pod fits nowhere, but must not reach into nodes, and
// must not know records: which image is right, and whether a node really runs it, is its
// caller's business. It changes nothing.
package rollout
