// Package workload makes Kubernetes workloads run recorded images: it finds the
// containers, patches what is not right, waits by watching until the rollout is
// done or cannot succeed any more, and says why.
//
// It reads Node objects to say why a pod fits nowhere, but must not reach into nodes, and
// must not know records: which image is right, and whether a node really runs it, is its
// caller's business.
package workload
