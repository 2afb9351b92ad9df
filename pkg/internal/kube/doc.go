// Package kube has what is common to changing workloads and to waiting for them: their
// kinds in one table, references, containers and which image each gets, patches, and the
// part of the API that this product uses.
//
// It must not decide what happens when, and must not know records or nodes.
package kube
