package e2eimage_test

import (
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// A verb's error is told apart by its code, and has what a rollout left behind.
func ExampleCodeOf() {
	// As Deploy returns it.
	err := error(&e2eimage.RolloutError{
		Workload: "deployment.apps/datastorage", Namespace: "tests", Reason: "CrashLoopBackOff",
		Pod: "datastorage-7d9f", Container: "server", Restarts: 3, Logs: []string{"no database"},
	})
	switch e2eimage.CodeOf(err) {
	case e2eimage.CodeRollout:
		var failed *e2eimage.RolloutError
		if errors.As(err, &failed) {
			fmt.Println(failed.Reason, failed.Pod, failed.Restarts, failed.Logs)
		}
	case e2eimage.CodeNotRecorded, e2eimage.CodeStale:
		fmt.Println("run up again")
	}
	fmt.Println("exit code", e2eimage.ExitCode(err))
	// Output:
	// CrashLoopBackOff datastorage-7d9f 3 [no database]
	// exit code 1
}

// Several images may fail at once.
func ExampleErrors() {
	// As Tag returns it.
	err := errors.Join(
		&e2eimage.Error{
			Code: e2eimage.CodeNotLoaded, Image: "datastorage", Node: "dev-worker",
			Fix: "kubectl e2eimage load datastorage", Err: errors.New("node dev-worker does not have it"),
		},
		&e2eimage.Error{Code: e2eimage.CodeStale, Image: "gateway", Err: errors.New("it was rebuilt, but not loaded")},
	)
	for _, found := range e2eimage.Errors(err) {
		fmt.Printf("%s %s: %v\n", found.Code, found.Image, found)
	}
	// Output:
	// NotLoaded datastorage: node dev-worker does not have it
	// Stale gateway: it was rebuilt, but not loaded
}
