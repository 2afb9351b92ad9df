package containerd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
	"k8s.io/klog/v2"
)

const (
	// callLimit bounds one call; a node that is paused never answers.
	callLimit = 60 * time.Second
	// longLimit bounds a call that works on a whole layer.
	longLimit = 10 * time.Minute
	// afterwards is how long the exec's own end is waited for when its
	// connection broke: it says why.
	afterwards = 500 * time.Millisecond
)

// CallError is a call to a node's containerd that failed.
type CallError struct {
	// Method like "Images/Create".
	Method string
	Code   codes.Code
	// Message is what containerd said.
	Message string
	// Err is why the connection broke, where it did.
	Err error
}

func (e *CallError) Error() string {
	if e.Err != nil {
		return fmt.Sprintf("%s: %v", e.Method, e.Err)
	}
	message := fmt.Sprintf("%s: %s", e.Method, e.Message)
	if strings.Contains(message, "no space left on device") {
		message += "\nthe node's disk is full: free disk space on its host, or remove what nobody needs: kubectl e2eimage " +
			"clean --orphans, or clean NAME --keep 0"
	}
	return message
}

// Unwrap returns why the connection broke.
func (e *CallError) Unwrap() error { return e.Err }

// NoResponseError says that a node did not answer in time.
type NoResponseError struct {
	Method string
	After  time.Duration
}

func (e *NoResponseError) Error() string {
	return fmt.Sprintf("no answer to %s within %s; is the node paused, or out of memory?", e.Method, e.After)
}

type longCall struct{}

// long lets calls with the context take longer than others: they work on whole
// layers.
func long(ctx context.Context) context.Context { return context.WithValue(ctx, longCall{}, true) }

func limitOf(ctx context.Context) time.Duration {
	if ctx.Value(longCall{}) != nil {
		return longLimit
	}
	return callLimit
}

// intercept is around every call: it names the namespace that the kubelet's
// images are in, bounds the call, and says why one failed.
func (c *Client) intercept(ctx context.Context, method string, request, answer any, connection *grpc.ClientConn,
	invoke grpc.UnaryInvoker, options ...grpc.CallOption,
) error {
	short := method[strings.LastIndexByte(method, '.')+1:]
	limit := limitOf(ctx)
	bounded, cancel := context.WithTimeoutCause(ctx, limit, &NoResponseError{Method: short, After: limit})
	defer cancel()
	begun := time.Now()
	err := invoke(inNamespace(bounded), method, request, answer, connection, options...)
	klog.FromContext(ctx).V(6).Info("node call", "node", c.name, "method", short, "took", since(begun), "code",
		status.Code(err).String())
	return c.failure(bounded, short, err)
}

// interceptStream is around the opening of every stream. How long it may be
// silent is for its user to say.
func (c *Client) interceptStream(ctx context.Context, desc *grpc.StreamDesc, connection *grpc.ClientConn,
	method string,
	open grpc.Streamer, options ...grpc.CallOption,
) (grpc.ClientStream, error) {
	return open(inNamespace(ctx), desc, connection, method, options...)
}

func inNamespace(ctx context.Context) context.Context {
	return metadata.AppendToOutgoingContext(ctx, "containerd-namespace", "k8s.io")
}

// failure says why a call failed that was bounded by a context.
func (c *Client) failure(bounded context.Context, short string, err error) error {
	if err == nil {
		return nil
	}
	failed := &CallError{Method: short, Code: status.Code(err), Message: status.Convert(err).Message()}
	switch {
	case bounded.Err() != nil:
		c.silent.Store(true)
		failed.Err = context.Cause(bounded)
	case failed.Code == codes.Unavailable:
		failed.Err = c.whyBroken(err)
	}
	return failed
}

// whyBroken prefers what is known of the connection's end over what the call saw.
func (c *Client) whyBroken(err error) error {
	select {
	case <-c.conn.over:
		if c.conn.why != nil {
			return c.conn.why
		}
		return errors.New("containerd closed the connection; was it or the node restarted?")
	case <-time.After(afterwards):
		return err
	}
}

// IsNotFound tells whether err is a call that ended since the node does not have what it was about.
func IsNotFound(err error) bool { return isCode(err, codes.NotFound) }

// IsExists tells whether err is a call that ended since the node has already what was to be made.
func IsExists(err error) bool { return isCode(err, codes.AlreadyExists) }

// isCode tells whether err is a call that ended with the code.
func isCode(err error, code codes.Code) bool {
	var failed *CallError
	return errors.As(err, &failed) && failed.Code == code
}

// since is how long something took, for people.
func since(begun time.Time) time.Duration { return time.Since(begun).Round(100 * time.Microsecond) }
