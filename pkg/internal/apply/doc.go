// Package apply changes workloads so that they run recorded images: it patches those that
// exist, or applies manifests server-side. First it finds out what will be done, and
// whether it can be; what it has changed it hands over as targets to be waited for.
//
// It must not wait for rollouts, and must not know records: which image is right is its
// caller's business.
package apply
