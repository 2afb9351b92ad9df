package kindnodetest

import (
	"context"
	"io"
	"maps"
	"net"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/containerd/containerd/api/services/content/v1"
	"github.com/containerd/containerd/api/services/images/v1"
	"github.com/containerd/containerd/api/services/leases/v1"
	"github.com/containerd/containerd/api/services/snapshots/v1"
	"github.com/containerd/containerd/api/types"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/types/known/emptypb"
	"google.golang.org/protobuf/types/known/timestamppb"
	cri "k8s.io/cri-api/pkg/apis/runtime/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// bufferSize of connections, in bytes.
const bufferSize = 4 << 10

// serve speaks the APIs over the command's stdin and stdout until stdin ends or
// ctx does, as an exec that is killed.
func (c *Cluster) serve(ctx context.Context, name string, command hostexec.Command) error {
	var greeting string
	var err error
	c.Change(func(n *Node) { greeting, err = n.greeting() }, name)
	if err != nil {
		return err
	}
	if _, err := io.WriteString(command.Stdout, greeting); err != nil {
		return err
	}
	// Little is said at once.
	server := grpc.NewServer(grpc.ReadBufferSize(bufferSize), grpc.WriteBufferSize(bufferSize),
		grpc.UnaryInterceptor(func(ctx context.Context, request any, info *grpc.UnaryServerInfo,
			handle grpc.UnaryHandler,
		) (any, error) {
			var answer any
			err := c.call(short(info.FullMethod), name, func() error {
				var err error
				answer, err = handle(ctx, request)
				return err
			})
			return answer, said(err)
		}), grpc.StreamInterceptor(func(service any, stream grpc.ServerStream, info *grpc.StreamServerInfo,
			handle grpc.StreamHandler,
		) error {
			return said(c.hooked(short(info.FullMethod), name, func() error { return handle(service, stream) }))
		}))
	images.RegisterImagesServer(server, &imagesServer{node: c.nodes[name]})
	cri.RegisterImageServiceServer(server, &imageService{node: c.nodes[name]})
	cri.RegisterRuntimeServiceServer(server, &runtimeService{node: c.nodes[name]})
	content.RegisterContentServer(server, &contentServer{cluster: c, node: name})
	snapshots.RegisterSnapshotsServer(server, snapshotsServer{})
	leases.RegisterLeasesServer(server, leasesServer{})
	conn := &connection{Reader: command.Stdin, Writer: command.Stdout, closed: make(chan struct{})}
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

// imagesServer is containerd's. Calls come one at a time: Cluster.call sees to it.
type imagesServer struct {
	images.UnimplementedImagesServer
	node *Node
}

func (s *imagesServer) image(name string) (*images.Image, error) {
	id, ok := s.node.find(name)
	if !ok {
		return nil, status.Errorf(codes.NotFound, "image %q: not found", name)
	}
	image := &images.Image{Name: name, Target: &types.Descriptor{Digest: s.node.targetOf(id)}}
	if since, known := s.node.Since[name]; known {
		image.CreatedAt = timestamppb.New(since)
	}
	if owner, owned := s.node.Owners[name]; owned {
		image.Labels = map[string]string{kindnode.OwnerLabel: owner}
	}
	return image, nil
}

func (s *imagesServer) Get(_ context.Context, request *images.GetImageRequest) (*images.GetImageResponse, error) {
	image, err := s.image(request.GetName())
	return &images.GetImageResponse{Image: image}, err
}

// List knows one filter: the names that have an owner.
func (s *imagesServer) List(_ context.Context, request *images.ListImagesRequest) (*images.ListImagesResponse, error) {
	answer := &images.ListImagesResponse{}
	names := slices.Collect(maps.Keys(s.node.Owners))
	if len(request.GetFilters()) == 0 {
		names = slices.AppendSeq(slices.Collect(maps.Keys(s.node.Images)), maps.Keys(s.node.ids))
	}
	for _, name := range names {
		image, err := s.image(name)
		if err != nil {
			return nil, err
		}
		answer.Images = append(answer.Images, image)
	}
	return answer, nil
}

func (s *imagesServer) Create(_ context.Context,
	request *images.CreateImageRequest,
) (*images.CreateImageResponse, error) {
	image := request.GetImage()
	if _, exists := s.node.Images[image.GetName()]; exists {
		return nil, status.Errorf(codes.AlreadyExists, "image %q: already exists", image.GetName())
	}
	s.node.add(image.GetName(), s.node.imageOf(image.GetTarget().GetDigest()))
	s.node.own(image.GetName(), image.GetLabels()[kindnode.OwnerLabel])
	return &images.CreateImageResponse{Image: image}, nil
}

func (s *imagesServer) Update(_ context.Context,
	request *images.UpdateImageRequest,
) (*images.UpdateImageResponse, error) {
	image := request.GetImage()
	if _, err := s.image(image.GetName()); err != nil {
		return nil, err
	}
	if image.GetTarget() == nil {
		return nil, status.Error(codes.Internal, "an update without a target crashes containerd")
	}
	if request.GetUpdateMask() == nil {
		return nil, status.Error(codes.InvalidArgument, "without a mask, all is replaced, also what came meanwhile")
	}
	for _, path := range request.GetUpdateMask().GetPaths() {
		switch path {
		case "target":
			s.node.add(image.GetName(), s.node.imageOf(image.GetTarget().GetDigest()))
		case "labels." + kindnode.OwnerLabel:
			s.node.own(image.GetName(), image.GetLabels()[kindnode.OwnerLabel])
		case "labels.io.cri-containerd.image":
		default:
			return nil, status.Errorf(codes.InvalidArgument, "mask %v", request.GetUpdateMask())
		}
	}
	updated, err := s.image(image.GetName())
	return &images.UpdateImageResponse{Image: updated}, err
}

func (s *imagesServer) Delete(_ context.Context, request *images.DeleteImageRequest) (*emptypb.Empty, error) {
	if _, err := s.image(request.GetName()); err != nil {
		return nil, err
	}
	s.node.Forget(request.GetName())
	delete(s.node.ids, request.GetName())
	return &emptypb.Empty{}, nil
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
