// Package containerd is one connection to the containerd of a Kubernetes node, and the calls
// on it: what it and its CRI have, names and labels of images, contents, leases, snapshots.
//
// It must not know how a node is found, Kind or the host's engines, and decides nothing: its
// caller says how a program is run in the node's container, and which name belongs on what.
package containerd
