// Package workload makes Kubernetes workloads run recorded images: it finds the
// containers, patches what is not right, waits by watching until the rollout is
// done or cannot succeed any more, and says why.
//
// It must not know nodes or records: which image is right, and whether the node
// really runs it, is its caller's business.
package workload
