package containerdtest

import (
	"context"
	"io"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
)

// bufferSize of connections, in bytes.
const bufferSize = 4 << 10

// Serve tells the handshake and speaks the APIs over an exec's stdin and stdout until stdin
// ends or ctx does, as an exec that is killed. around is called with each call, like
// "Images/Create", and what carries it out.
func (n *Node) Serve(ctx context.Context, stdin io.Reader, stdout io.Writer,
	around func(call string, do func() error) error,
) error {
	var handshake string
	var err error
	n.Change(func(n *Node) { handshake, err = n.handshake() })
	if err != nil {
		return err
	}
	if _, err := io.WriteString(stdout, handshake); err != nil {
		return err
	}
	// Little is said at once.
	server := grpc.NewServer(grpc.ReadBufferSize(bufferSize), grpc.WriteBufferSize(bufferSize),
		grpc.UnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo,
			handle grpc.UnaryHandler,
		) (any, error) {
			var answer any
			err := around(short(info.FullMethod), func() error {
				n.mu.Lock()
				defer n.mu.Unlock()
				var err error
				answer, err = handle(ctx, request)
				return err
			})
			return answer, said(err)
		}), grpc.StreamInterceptor(func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo,
			handle grpc.StreamHandler,
		) error {
			return said(around(short(info.FullMethod), func() error { return handle(service, stream) }))
		}))
	images.RegisterImagesServer(server, &imagesServer{node: n})
	cri.RegisterImageServiceServer(server, &imageService{node: n})
	cri.RegisterRuntimeServiceServer(server, &runtimeService{node: n})
	content.RegisterContentServer(server, &contentServer{node: n})
	snapshots.RegisterSnapshotsServer(server, snapshotsServer{})
	leases.RegisterLeasesServer(server, leasesServer{})
	conn := &connection{Reader: stdin, Writer: stdout, closed: make(chan struct{})}
	stop := context.AfterFunc(ctx, func() { _ = conn.Close() })
	defer stop()
	_ = server.Serve(&listener{conn: conn})
	server.Stop()
	return context.Cause(ctx)
}

// short is how a call is known: "Images/Create".
func short(method string) string { return method[strings.LastIndexByte(method, '.')+1:] }

// said is an error as it comes over the wire, also one that a hook made.
func said(err error) error {
	if err != nil && status.Code(err) == codes.Unknown {
		return status.Error(codes.Unknown, err.Error())
	}
	return err
}

// connection is a net.Conn over an exec's streams.
type connection struct {
	io.Reader
	io.Writer
	once   sync.Once
	closed chan struct{}
}

type address struct{}

func (address) Network() string { return "exec" }
func (address) String() string  { return "node" }

// Close ends reading, too.
func (c *connection) Close() error {
	c.once.Do(func() { close(c.closed) })
	if closer, ok := c.Reader.(io.Closer); ok {
		return closer.Close()
	}
	return nil
}

func (*connection) LocalAddr() net.Addr              { return address{} }
func (*connection) RemoteAddr() net.Addr             { return address{} }
func (*connection) SetDeadline(time.Time) error      { return nil }
func (*connection) SetReadDeadline(time.Time) error  { return nil }
func (*connection) SetWriteDeadline(time.Time) error { return nil }

// listener has one connection; Accept fails once that is closed.
type listener struct {
	conn  *connection
	given bool
}

func (l *listener) Accept() (net.Conn, error) {
	if !l.given {
		l.given = true
		return l.conn, nil
	}
	<-l.conn.closed
	return nil, io.EOF
}

func (l *listener) Close() error { return l.conn.Close() }
func (*listener) Addr() net.Addr { return address{} }
