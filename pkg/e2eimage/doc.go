// Package e2eimage is the library behind kubectl e2eimage: a Client whose
// methods are the verbs. It is the only place where steps are put in order.
//
// Every method takes a context and an Input, and returns a typed Result that
// marshals to JSON. The package prints nothing, reads no environment and keeps
// no globals: callers pass in what they have read (see package config for the
// file, flags and environment) and a progress.Reporter for what happens
// meanwhile. Only the commands that it runs, such as docker, inherit the environment.
//
// Errors are told apart by their Code, which CodeOf finds: CodeNotRecorded, CodeStale and
// so on. errors.As finds the gravest finding as an *Error, which says image, node, workload
// and what to do; Errors returns all of them. A rollout that failed is a *RolloutError with
// its logs and events. By their kind they are *UsageError, *InconsistentError,
// *TimeoutError or plain failures, and ExitCode is what the command ends with. Where the
// caller's context ended a verb, errors.Is finds context.Canceled or
// context.DeadlineExceeded as well, and the message has what was found out until then.
//
// Results and errors quote what others wrote, such as logs and records, as it is but for
// secrets: whoever prints them to a terminal makes them harmless.
package e2eimage
