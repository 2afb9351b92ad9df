package kindnode

import (
	"context"
	_ "embed" // for the scripts
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// What runs inside a node; values travel as arguments and over stdin only.
var (
	//go:embed scripts/session.pl
	sessionScript string
	//go:embed scripts/export.sh
	exportScript string
	//go:embed scripts/import.sh
	importScript string
)

const (
	// sessionLimit bounds a session inside the node, in case that its end
	// does not get there when this process is killed.
	sessionLimit = time.Hour
	// copyLimit bounds an image's way between nodes from inside: a client that
	// dies does not end what it started there.
	copyLimit = 10 * time.Minute
)

// NodeErrors are the nodes on which an operation failed.
type NodeErrors map[string]error

func (e NodeErrors) Error() string {
	message := ""
	for i, node := range sortedKeys(e) {
		if i > 0 {
			message += "\n"
		}
		message += fmt.Sprintf("node %s: %v", node, e[node])
	}
	return message
}

// Unwrap returns the errors of the nodes, by node name.
func (e NodeErrors) Unwrap() []error {
	all := make([]error, 0, len(e))
	for _, node := range sortedKeys(e) {
		all = append(all, e[node])
	}
	return all
}

// forEach runs do for the named nodes side by side, waits for all of them and
// returns their results by node name, also of those that failed half-way, with a
// NodeErrors if any did.
func forEach[T any](nodes []string, do func(node string) (T, error)) (map[string]T, error) {
	results := make(map[string]T, len(nodes))
	failures := NodeErrors{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, node := range nodes {
		all.Go(func() {
			result, err := do(node)
			mu.Lock()
			defer mu.Unlock()
			results[node] = result
			if err != nil {
				failures[node] = err
			}
		})
	}
	all.Wait()
	if len(failures) > 0 {
		return results, failures
	}
	return results, nil
}

// exec runs argv in the node, bounded from inside.
func (c *Cluster) exec(ctx context.Context, node string, limit time.Duration, argv []string, stdin io.Reader,
	stdout io.Writer,
) error {
	command := []string{c.Provider, "exec"}
	if stdin != nil {
		command = append(command, "--interactive")
	}
	seconds := strconv.Itoa(int(limit.Seconds()))
	command = append(command, node, "timeout", "--kill-after=5", seconds)
	err := c.runner.Run(ctx, hostexec.Command{Argv: append(command, argv...), Stdin: stdin, Stdout: stdout})
	var failed *hostexec.CommandError
	if errors.As(err, &failed) && failed.ExitCode() == 124 {
		return fmt.Errorf("gave up after %s: %w", limit, err)
	}
	return err
}
