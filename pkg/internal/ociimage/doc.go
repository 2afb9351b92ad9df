// Package ociimage knows what image references and digests look like, how images
// stand in archives and layouts, and what of one a node lacks. It must not run commands or
// talk to a network, and it reads only the files and streams that it is given.
package ociimage
