package containerd

import (
	"bufio"
	"context"
	_ "embed" // for the script
	"errors"
	"fmt"
	"io"
	"net"
	"time"

	"k8s.io/klog/v2"
)

// connectScript runs inside the node; nothing of ours is in its command line.
//
//go:embed scripts/connect.pl
var connectScript string

const (
	// connectLimit is how long a node may take until it is connected.
	connectLimit = 20 * time.Second
	// connectTries: podman now and then loses what an exec says when others of
	// the same node are killed meanwhile.
	connectTries = 3
	// killGrace is how long an exec may go on after its stdin has ended.
	killGrace = 2 * time.Second
)

// connectByExec connects through a program in the node.
func connectByExec(ctx context.Context, node Node) (*conn, error) {
	for tried := 1; ; tried++ {
		bounded, cancel := context.WithTimeoutCause(ctx, connectLimit,
			&NoResponseError{Method: "exec", After: connectLimit})
		c, err := connectOnce(bounded, node)
		cancel()
		var silent *NoResponseError
		if !errors.As(err, &silent) || tried == connectTries {
			return c, err
		}
		klog.FromContext(ctx).V(4).Info("an exec said nothing; once more", "node", node.Name)
	}
}

// connectOnce starts a program in the node that joins its stdin and stdout with
// containerd's socket, and reads its handshake.
func connectOnce(ctx context.Context, node Node) (*conn, error) {
	running, kill := context.WithCancelCause(context.WithoutCancel(ctx))
	stdin, toNode := io.Pipe()
	fromNode, stdout := io.Pipe()
	c := &conn{over: make(chan struct{})}
	go func() {
		defer kill(nil)
		c.why = node.Exec(running, []string{"perl", "-e", connectScript}, stdin, stdout)
		close(c.over)
		end := c.why
		if end == nil {
			end = io.EOF
		}
		_ = stdout.CloseWithError(end)
		_ = stdin.CloseWithError(end)
	}()
	reader := bufio.NewReader(fromNode)
	waiting := context.AfterFunc(ctx, func() { _ = fromNode.CloseWithError(context.Cause(ctx)) })
	handshake, err := readHandshake(reader)
	if !waiting() && err == nil {
		err = context.Cause(ctx)
	}
	c.Conn = stdio{
		Reader: reader, from: fromNode,
		WriteCloser: &stdinCloser{WriteCloser: toNode, over: c.over, kill: func() { kill(errClosed) }},
	}
	if err != nil {
		_ = c.Close()
		return nil, c.whyNot(ctx, err)
	}
	c.handshake = handshake
	network, err := connectByNetwork(ctx, handshake)
	if err != nil {
		klog.FromContext(ctx).V(6).Info("all goes through the exec", "node", node.Name, "because", err.Error())
		return c, nil
	}
	c.Conn = besideExec{Conn: network, exec: c.Conn}
	return c, nil
}

var errClosed = errors.New("session closed")

// whyNot says why there is no connection: what the exec said counts for more than
// that nothing could be read from it.
func (c *conn) whyNot(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return fmt.Errorf("the node does not answer: %w", context.Cause(ctx))
	}
	select {
	case <-c.over:
		if c.why != nil {
			return c.why
		}
	case <-time.After(killGrace):
	}
	return err
}

// stdinCloser closes the node's stdin, which ends the exec; where it does not, the
// exec is killed.
type stdinCloser struct {
	io.WriteCloser
	over chan struct{}
	kill func()
}

// Close implements io.Closer. It does not wait for the exec's end.
func (s *stdinCloser) Close() error {
	err := s.WriteCloser.Close()
	time.AfterFunc(killGrace, func() {
		select {
		case <-s.over:
		default:
			s.kill()
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
