// Package record is the memory in the cluster: which tag was decided for an image, and which
// image ID it stands for, in one ConfigMap per consumer and namespace, changed by
// compare-and-swap (Store). Claims and their decisions are pure functions on a Set.
//
// It must not reach into nodes, engines or lock files: what is true there is told to it. It
// waits for the API server and for nothing else.
package record
