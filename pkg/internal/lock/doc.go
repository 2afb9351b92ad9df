// Package lock is what this host remembers of a consumer's images: one file per consumer,
// read whole at any time and replaced as a whole by one process at a time. It says which
// image ID each image was built, loaded or tagged as, what it was before, and which
// clusters have it recorded.
//
// It must not ask engines, nodes or the API server: what is true there is told to it. It
// waits for other processes that write the same file, and for nothing else.
package lock
