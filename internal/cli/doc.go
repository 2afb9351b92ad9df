// Package cli maps argv to library inputs and library results to output: cobra
// commands, flags, printers, exit codes. A command file must hold no step of a
// verb; those are in package e2eimage.
package cli
