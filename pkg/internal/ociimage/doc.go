// Package ociimage knows what image references and digests look like and what
// they mean on a node. It is pure: it must not run commands, read files or talk
// to a network.
package ociimage
