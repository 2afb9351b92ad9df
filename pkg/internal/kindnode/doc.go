// Package kindnode reaches into the nodes of a Kind cluster: it finds the
// cluster's containers on docker or podman and asks, tags, copies and removes
// images in them, through one connection per node and on all nodes side by side. It is the
// product's only importer of sigs.k8s.io/kind.
//
// It must not know records or workloads and must not decide anything: callers
// say which tag belongs on which image ID.
package kindnode
