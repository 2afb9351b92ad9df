// Package freshness has the one rule that tells whether what is recorded of an image is
// the newest content that is known: a pure function over what host, lock, record and nodes
// say. It must not ask anybody; who calls it has done so, and puts the answer into words.
package freshness
