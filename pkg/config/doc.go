// Package config turns e2eimage.yaml, the environment and flags into a Suite:
// everything that a verb needs to know about one consumer and its images, with
// the precedence flag, environment, config, default. Command line and Go suites
// share it.
//
// Resolve goes through three rooms, which the names of the files tell: read (the
// file becomes one typed struct with the lines of its fields), check (each value
// of file, variables and flags, all mistakes at once) and resolve (who wins).
//
// It reads the file, but no environment of its own (callers pass a lookup), and
// must not talk to engines or clusters.
package config
