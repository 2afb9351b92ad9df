package kindnode

import (
	"context"
	"io"
	"net"
	"sync"
	"sync/atomic"
	"time"

	"github.com/containerd/containerd/api/services/images/v1"
	"google.golang.org/grpc"
	"google.golang.org/grpc/backoff"
	"google.golang.org/grpc/credentials/insecure"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"
	"k8s.io/klog/v2"
)

// maxAnswer bounds what one call may answer, in bytes.
const maxAnswer = 64 << 20

// link is a connection to a node's containerd, with what the node told about
// itself before, by section: ca, machine, pulled.
type link struct {
	net.Conn
	greeting map[string][]byte
	// over is closed when the connection is; why says the cause, nil if none
	// is known.
	over chan struct{}
	why  error
}

// session is the one connection to a node that everything is asked and done
// through. What a killed process had not sent yet does not happen, and each call
// is atomic.
type session struct {
	node string
	*link
	images  images.ImagesClient
	loading loading
	cri     cri.ImageServiceClient
	runtime cri.RuntimeServiceClient

	client *grpc.ClientConn
	// silent is set when a call was given up on: the next one begins anew.
	silent atomic.Bool
}

// connect opens a session: directly where the node runs on this host and that is
// allowed, else through an exec of the engine.
func (c *Cluster) connect(ctx context.Context, node string) (*session, error) {
	begun, log := time.Now(), klog.FromContext(ctx).V(6)
	connection, err := connectDirectly(ctx, c.node(node))
	if err != nil {
		log.Info("node is reached through an exec", "node", node, "because", err.Error())
		if connection, err = c.connectByExec(ctx, node); err != nil {
			return nil, err
		}
	}
	log.Info("node connected", "node", node, "took", since(begun))
	s := &session{node: node, link: connection}
	if s.client, err = dial(node, connection, s); err != nil {
		_ = connection.Close()
		return nil, err
	}
	s.loading = newLoading(s.client)
	s.images, s.cri, s.runtime = images.NewImagesClient(s.client), cri.NewImageServiceClient(s.client),
		cri.NewRuntimeServiceClient(s.client)
	return s, nil
}

// close ends the session, also one that no call was made through.
func (s *session) close() {
	_ = s.link.Close()
	_ = s.client.Close()
}

// dial returns a client on a connection that exists already. Where it breaks off,
// calls fail; there is no second one.
func dial(node string, only net.Conn, s *session) (*grpc.ClientConn, error) {
	var taken atomic.Bool
	return grpc.NewClient("passthrough:///"+node,
		grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDisableServiceConfig(),
		grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(maxAnswer)),
		grpc.WithUnaryInterceptor(s.intercept),
		grpc.WithStreamInterceptor(s.interceptStream),
		// A node that accepts and then says nothing is for the call to give up.
		grpc.WithConnectParams(grpc.ConnectParams{Backoff: backoff.DefaultConfig, MinConnectTimeout: 2 * callLimit}),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if taken.Swap(true) {
				return nil, io.ErrClosedPipe
			}
			return only, nil
		}))
}

// watched is a connection that notes its end.
type watched struct {
	net.Conn
	once sync.Once
	over chan struct{}
}

// Read implements io.Reader.
func (w *watched) Read(p []byte) (int, error) {
	n, err := w.Conn.Read(p)
	if err != nil {
		w.once.Do(func() { close(w.over) })
	}
	return n, err
}
