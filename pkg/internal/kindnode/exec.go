package kindnode

import (
	"context"
	"errors"
	"fmt"
	"io"
	"strconv"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

const (
	// clientLimit bounds a connection inside the node, in case that its end
	// does not get there when this process is killed.
	clientLimit = time.Hour
	// copyLimit bounds an image's way between nodes from inside: a client that
	// dies does not end what it started there.
	copyLimit = 10 * time.Minute
)

// What `timeout` exits with when the time is over, and when there is no such program.
const (
	exitTimeout  = 124
	exitNotFound = 127
)

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
	if errors.As(err, &failed) && failed.ExitCode() == exitTimeout {
		return fmt.Errorf("gave up after %s: %w", limit, err)
	}
	return err
}
