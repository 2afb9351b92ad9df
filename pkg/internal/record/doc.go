// Package record is the memory of the product: which tag was decided for an image, and
// which image ID it stands for. There are two places, with the same entries: one ConfigMap
// per consumer and namespace, changed by compare-and-swap (Store), and one lock file per
// consumer on the host, replaced as a whole by one process at a time (LockFile). Claims and
// their decisions are pure functions on a Set.
//
// It must not reach into nodes or engines: what is true there is told to it. It waits for
// the API server and for other processes that hold a lock file, and for nothing else.
package record
