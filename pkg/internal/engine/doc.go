// Package engine is the host's container engines, docker and podman, as far as
// images come from them. It must not know nodes, and it changes nothing in an
// engine but by Remove.
package engine
