// Package config turns e2eimage.yaml, the environment and flags into a Suite:
// everything that a verb needs to know about one consumer and its images, with
// the precedence flag, environment, config, default. Command line and Go suites
// share it.
//
// It reads the file, but no environment of its own (callers pass a lookup), and
// must not talk to engines or clusters.
package config
