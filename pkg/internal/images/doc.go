// Package images are the words for a place that has a cluster's images, whichever place it is:
// what is there, and what is to be done. A place has parts that each have an image or not: the
// nodes of a Kind cluster, or one registry.
//
// It must not know how any place is asked.
package images
