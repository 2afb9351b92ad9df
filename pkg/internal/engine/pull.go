package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/wait"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// pullTries is how often a pull is begun whose registry or network fails: over 7 seconds, and
// what the pulls themselves take.
var pullTries = wait.Backoff{Duration: time.Second, Factor: 2, Jitter: 0.1, Steps: 4}

// Pull lets an engine pull an image, with the engine's own credentials. again is told of each
// failure after which it is tried once more.
func Pull(ctx context.Context, runner hostexec.Runner, engine, reference string, again func(error)) error {
	var last error
	tries := 0
	err := wait.ExponentialBackoffWithContext(ctx, pullTries, func(ctx context.Context) (bool, error) {
		tries++
		last = runner.Run(ctx, hostexec.Command{
			Argv: []string{engine, "pull", "--quiet", "--", reference}, Stdout: io.Discard, Tied: true,
		})
		if last == nil || isFinal(last) || ctx.Err() != nil {
			return true, last
		}
		if tries < pullTries.Steps {
			again(last)
		}
		return false, nil
	})
	switch {
	case ctx.Err() != nil:
		return context.Cause(ctx)
	case wait.Interrupted(err):
		return fmt.Errorf("cannot pull %s after %d tries: %w", reference, tries, last)
	case err != nil:
		return fmt.Errorf("cannot pull %s: %w", reference, err)
	}
	return nil
}

// finalAnswers are what registries and engines say of what no other try changes.
var finalAnswers = []string{
	"manifest unknown", "name unknown", "not found", "unauthorized", "denied", "authentication required",
	"invalid reference", "no matching manifest", "no image found in", "invalid character",
}

// isFinal tells whether a pull failed for good.
func isFinal(err error) bool {
	var failed *hostexec.CommandError
	if !errors.As(err, &failed) || failed.ExitCode() < 0 {
		// It could not even be begun.
		return true
	}
	said := strings.ToLower(failed.Stderr)
	return slices.ContainsFunc(finalAnswers, func(answer string) bool { return strings.Contains(said, answer) })
}
