// Package record is the memory of the product: which tag was decided for an
// image, under which identity, kept in one ConfigMap per consumer. It holds the
// schema, the claim protocol as pure functions on a Set, and the store that
// applies them by compare-and-swap.
//
// It must not reach into nodes and must not wait for anything but the API: what
// is true on the nodes is told to it.
package record
