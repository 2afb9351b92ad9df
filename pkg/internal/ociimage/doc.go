// Package ociimage knows what image references and digests look like, how images
// stand in archives and layouts, and what of one a node lacks. It is pure: it
// must not run commands or talk to a network, and it reads only what it is given.
package ociimage
