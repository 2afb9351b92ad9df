// Package registry is the place of images where one machine is not enough: an OCI registry. It
// looks what names stand for, pushes what is missing, names content and takes names away, and
// tells which digests a pod may report.
//
// It must not know records or workloads and must not decide anything: callers say which tag
// belongs on which content, and which content a tag may leave. It reads no environment; who
// calls says where credentials and certificates are.
package registry
