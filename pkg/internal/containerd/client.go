package containerd

import (
	"context"
	"io"
	"net"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/diff/v1"
	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/klog/v2"
)

// maxAnswer bounds what one call may answer, in bytes.
const maxAnswer = 64 << 20

// Node says how a node is reached: it is a container, of this host or another one.
type Node struct {
	// Name is for logs.
	Name string
	// ContainerID is what the control group of its first process is called after, and PID
	// that process as this host sees it; "" and 0 where they are not known.
	ContainerID string
	PID         int
	// Exec runs a program in the container until it ends, its stdin does, or ctx does.
	Exec func(ctx context.Context, argv []string, stdin io.Reader, stdout io.Writer) error
}

// Client is the one connection to a node that everything is asked and done through. What
// a killed process had not sent yet does not happen, and each call is atomic.
//
// A call that fails does so with a *CallError, which wraps a *NoResponseError where the node
// was given up.
type Client struct {
	name      string
	conn      *conn
	images    images.ImagesClient
	content   content.ContentClient
	snapshots snapshots.SnapshotsClient
	diff      diff.DiffClient
	leases    leases.LeasesClient
	cri       cri.ImageServiceClient
	runtime   cri.RuntimeServiceClient

	grpc *grpc.ClientConn
	// silent is set when a call was given up on.
	silent atomic.Bool
}

// Connect connects to a node: directly where it runs on this host and that is allowed, else
// through a program that is run in it. The caller closes the client.
func Connect(ctx context.Context, node Node) (*Client, error) {
	begun, log := time.Now(), klog.FromContext(ctx).V(6)
	connected, err := connectDirectly(ctx, node)
	if err != nil {
		log.Info("node is reached through an exec", "node", node.Name, "because", err.Error())
		if connected, err = connectByExec(ctx, node); err != nil {
			return nil, err
		}
	}
	log.Info("node connected", "node", node.Name, "took", since(begun))
	c := &Client{name: node.Name, conn: connected}
	if c.grpc, err = c.dial(); err != nil {
		_ = connected.Close()
		return nil, err
	}
	c.images, c.content, c.snapshots = images.NewImagesClient(c.grpc), content.NewContentClient(c.grpc),
		snapshots.NewSnapshotsClient(c.grpc)
	c.diff, c.leases = diff.NewDiffClient(c.grpc), leases.NewLeasesClient(c.grpc)
	c.cri, c.runtime = cri.NewImageServiceClient(c.grpc), cri.NewRuntimeServiceClient(c.grpc)
	return c, nil
}

// Node is the name of the node.
func (c *Client) Node() string { return c.name }

// Handshake is what the node told when it was connected.
func (c *Client) Handshake() Handshake { return c.conn.handshake }

// Usable tells whether further calls are worth it: the connection stands, and no call was
// given up on.
func (c *Client) Usable() bool {
	select {
	case <-c.conn.over:
		return false
	default:
		return !c.silent.Load()
	}
}

// Close ends the connection, also one that no call was made through.
func (c *Client) Close() {
	_ = c.conn.Close()
	_ = c.grpc.Close()
}

// dial returns a client on the connection that exists already. Where it breaks off,
// calls fail; there is no second one.
func (c *Client) dial() (*grpc.ClientConn, error) {
	var taken atomic.Bool
	return grpc.NewClient("passthrough:///"+c.name,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithUnaryInterceptor(c.intercept),
		grpc.WithStreamInterceptor(c.interceptStream),
		// A node that accepts and then says nothing is for the call to give up.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 2 * callLimit}),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if taken.Swap(true) {
				return nil, io.ErrClosedPipe
			}
			return c.conn, nil
		}))
}
