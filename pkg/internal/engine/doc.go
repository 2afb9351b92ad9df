// Package engine gets images out of the host's container engines, docker and podman: it
// finds an image, builds one, reads its layers, and removes it. It also opens archives and
// folders that are sources.
//
// In an engine it changes only what its callers ask for: it builds, gives and removes
// names. Names that it gives for a moment begin with "localhost/e2eimage-build:" or
// "127.0.0.1:", and go again; what a killed process left, the next one removes. It must not
// know nodes, records or locks.
package engine
