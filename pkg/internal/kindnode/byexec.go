package kindnode

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// exitNotFound is what `timeout` exits with when there is no such program.
const exitNotFound = 127

const (
	// connectLimit is how long a node may take to greet.
	connectLimit = 20 * time.Second
	// connectTries: podman now and then loses what an exec says when others of
	// the same node are killed meanwhile.
	connectTries = 3
)

// connectByExec connects through an exec of the engine.
func (c *Cluster) connectByExec(ctx context.Context, node string) (*link, error) {
	for tried := 1; ; tried++ {
		bounded, cancel := context.WithTimeoutCause(ctx, connectLimit, &SilentError{Method: "exec", After: connectLimit})
		l, err := c.enter(bounded, node)
		cancel()
		var silent *SilentError
		if !errors.As(err, &silent) || tried == connectTries {
			return l, err
		}
		klog.FromContext(ctx).V(4).Info("an exec said nothing; once more", "node", node)
	}
}

// enter starts a program in the node that joins its stdin and stdout with
// containerd's socket, and reads its greeting.
func (c *Cluster) enter(ctx context.Context, node string) (*link, error) {
	running, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	stdin, toNode := io.Pipe()
	fromNode, stdout := io.Pipe()
	l := &link{over: make(chan struct{})}
	go func() {
		defer kill(nil)
		l.why = c.exec(running, node, sessionLimit, []string{"perl", "-e", sessionScript}, stdin, stdout)
		close(l.over)
		end := l.why
		if end == nil {
			end = io.EOF
		}
		_ = stdout.CloseWithError(end)
		_ = stdin.CloseWithError(end)
	}()
	reader := bufio.NewReader(fromNode)
	waiting := context.AfterFunc(ctx, func() { _ = fromNode.CloseWithError(context.Cause(ctx)) })
	greeting, err := readGreeting(reader)
	if !waiting() && err == nil {
		err = context.Cause(ctx)
	}
	l.Conn = stdio{
		Reader: reader, from: fromNode,
		WriteCloser: &lastWords{WriteCloser: toNode, over: l.over, kill: func() { kill(errClosed) }},
	}
	if err != nil {
		_ = l.Close()
		return nil, l.whyNot(ctx, err)
	}
	l.greeting = greeting
	network, err := connectByNetwork(ctx, greeting)
	if err != nil {
		klog.FromContext(ctx).V(6).Info("all goes through the exec", "node", node, "because", err.Error())
		return l, nil
	}
	l.Conn = besideExec{Conn: network, exec: l.Conn}
	return l, nil
}

var errClosed = errors.New("session closed")

// whyNot says why there is no connection: what the exec said counts for more than
// that nothing could be read from it.
func (l *link) whyNot(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the node does not answer: %w", context.Cause(ctx))
	}
	select {
	case <-l.over:
		if l.why != nil {
			err = l.why
		}
	case <-time.After(hostexec.KillGrace):
	}
	var failed *hostexec.CommandError
	if errors.As(err, &failed) && failed.ExitCode() == exitNotFound {
		return fmt.Errorf("the node has no perl, which every node image of kind has; rebuild yours with it: %w", err)
	}
	return err
}

// lastWords closes the node's stdin, which ends the exec; where it does not, the
// exec is killed.
type lastWords struct {
	io.WriteCloser
	over chan struct{}
	kill func()
}

// Close implements io.Closer. It does not wait for the exec's end.
func (l *lastWords) Close() error {
	err := l.WriteCloser.Close()
	time.AfterFunc(hostexec.KillGrace, func() {
		select {
		case <-l.over:
		default:
			l.kill()
		}
	})
	return err
}

// stdio is a connection whose two directions are the stdin and stdout of an exec.
type stdio struct {
	io.Reader
	io.WriteCloser
	// from is what the Reader reads from in the end.
	from *io.PipeReader
}

// Close implements io.Closer: it ends reading, too.
func (s stdio) Close() error {
	_ = s.from.CloseWithError(net.ErrClosed)
	return s.WriteCloser.Close()
}

var _ net.Conn = stdio{}

type execAddress struct{}

func (execAddress) Network() string { return "exec" }
func (execAddress) String() string  { return "containerd" }

// LocalAddr implements net.Conn.
func (stdio) LocalAddr() net.Addr { return execAddress{} }

// RemoteAddr implements net.Conn.
func (stdio) RemoteAddr() net.Addr { return execAddress{} }

// SetDeadline implements net.Conn. Contexts bound the calls.
func (stdio) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (stdio) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (stdio) SetWriteDeadline(time.Time) error { return nil }
