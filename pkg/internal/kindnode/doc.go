// Package kindnode are the nodes of a Kind cluster: it finds the cluster's containers on docker
// or podman, and looks, tags, untags, delivers and copies in them, through one connection per
// node and on all nodes side by side.
//
// It must not know records or workloads and must not decide anything: callers
// say which tag belongs on which image ID.
package kindnode
