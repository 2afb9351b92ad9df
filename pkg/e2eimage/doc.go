// Package e2eimage is the library behind kubectl e2eimage: it builds, loads, tags, deploys
// and proves the images of an E2E suite on a Kind cluster.
//
// A Suite is what Go tests use: Open reads e2eimage.yaml, Define needs no file, and the
// methods are the verbs, with options. Below it, a Client has a method with an Input for
// each verb, and is the only place where steps are put in order; the command line uses it.
// Both return typed Results that marshal to JSON.
//
// The package prints nothing, keeps no globals, and changes neither the process's
// environment nor a kubeconfig. It reads the environment by Options.LookupEnv only, which is
// the process's where nobody says otherwise, and tells Options.Reporter what happens.
//
// Errors are told apart by their Code, which CodeOf finds: CodeNotRecorded, CodeStale and
// so on. errors.As finds the gravest finding as an *Error, which says image, node, workload
// and what to do; Errors returns all of them. A rollout that failed is a *RolloutError with
// its logs and events. By their kind they are *UsageError, *InconsistentError,
// *TimeoutError or plain failures, and ExitCode is what the command ends with. Where the
// caller's context ended a verb, errors.Is finds context.Canceled or
// context.DeadlineExceeded and its cause as well, and the message has what was found out
// until then.
//
// Results and errors quote what others wrote, such as logs and records, as it is but for
// secrets: whoever prints them to a terminal makes them harmless.
package e2eimage
