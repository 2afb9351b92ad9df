package kindnode

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"io"
	"strconv"
	"sync"
	"time"
)

//go:embed scripts/*.sh
var scripts embed.FS

const (
	// insideLimit bounds an operation inside the node: a client that dies does
	// not end what it started there.
	insideLimit = 60 * time.Second
	// copyLimit bounds the same for an image that travels between nodes.
	copyLimit = 10 * time.Minute
	// settleGrace is how long a cancelled change in a node is waited for
	// before its undoing starts.
	settleGrace = 10 * time.Second
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
// returns their results by node name, with a NodeErrors if any failed.
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
			if err != nil {
				failures[node] = err
				return
			}
			results[node] = result
		})
	}
	all.Wait()
	if len(failures) > 0 {
		return results, failures
	}
	return results, nil
}

// script runs an embedded script in the node; values travel as arguments only.
func (c *Cluster) script(ctx context.Context, node, name string, stdin io.Reader, stdout io.Writer, args ...string) error {
	text, err := scripts.ReadFile("scripts/" + name + ".sh")
	if err != nil {
		return err
	}
	argv := append([]string{"sh", "-c", string(text), "e2eimage-" + name}, args...)
	limit := insideLimit
	if name == "import" || name == "export" {
		limit = copyLimit
	}
	return c.exec(ctx, node, limit, argv, stdin, stdout)
}

// ask runs a script that takes no input and returns what it says.
func (c *Cluster) ask(ctx context.Context, node, name string, args ...string) ([]byte, error) {
	var out bytes.Buffer
	err := c.script(ctx, node, name, nil, &out, args...)
	return out.Bytes(), err
}

// exec runs argv in the node, bounded from inside.
func (c *Cluster) exec(ctx context.Context, node string, limit time.Duration, argv []string, stdin io.Reader, stdout io.Writer) error {
	command := []string{c.Provider, "exec"}
	if stdin != nil {
		command = append(command, "--interactive")
	}
	seconds := strconv.Itoa(int(limit.Seconds()))
	command = append(command, node, "timeout", "--kill-after=5", seconds)
	err := c.runner.Run(ctx, Command{Argv: append(command, argv...), Stdin: stdin, Stdout: stdout})
	var failed *CommandError
	if errors.As(err, &failed) && failed.ExitCode() == 124 {
		return fmt.Errorf("gave up after %s: %w", limit, err)
	}
	return err
}

// settle runs a change that must not be cut short: killing the client would not
// stop the process in the node, and nobody would know what it did. When ctx
// ends, the change is waited for a little longer, and ctx's error is returned
// only by whoever looks at ctx next.
func settle[T any](ctx context.Context, change func(context.Context) (T, error)) (T, error) {
	running, cancel := context.WithCancelCause(context.WithoutCancel(ctx))
	defer cancel(nil)
	stop := context.AfterFunc(ctx, func() {
		timer := time.AfterFunc(settleGrace, func() { cancel(context.Cause(ctx)) })
		context.AfterFunc(running, func() { timer.Stop() })
	})
	defer stop()
	return change(running)
}
