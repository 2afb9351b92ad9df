package faults

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// greeted is the last line before the connection begins, networked the one ahead of the
// node's own address.
const (
	greeted   = "@@e2eimage connected\n"
	networked = "@@e2eimage network\n"
)

// proxy runs the real exec, and passes calls on from our stdin and stdout to its.
func proxy(ctx context.Context, argv []string, node string, rules Rules, product int) error {
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	command.Stderr = os.Stderr
	toNode, err := command.StdinPipe()
	if err != nil {
		return err
	}
	fromNode, err := command.StdoutPipe()
	if err != nil {
		return err
	}
	if err := command.Start(); err != nil {
		return err
	}
	reader := bufio.NewReader(fromNode)
	for line := ""; line != greeted; {
		if line, err = reader.ReadString('\n'); err != nil {
			return errors.Join(err, command.Wait())
		}
		if line == networked {
			// Nobody is to get past this.
			if _, err = reader.ReadString('\n'); err != nil {
				return errors.Join(err, command.Wait())
			}
			continue
		}
		if _, err := io.WriteString(os.Stdout, line); err != nil {
			return err
		}
	}
	up, err := dial(&streams{Reader: reader, WriteCloser: toNode, over: make(chan struct{})})
	if err != nil {
		return err
	}
	server := grpc.NewServer(grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(func(_ any, stream grpc.ServerStream) error {
		return pass(stream, up, node, rules, product)
	}))
	here := &streams{Reader: os.Stdin, WriteCloser: os.Stdout, over: make(chan struct{})}
	_ = server.Serve(&once{conn: here})
	server.Stop()
	_ = up.Close()
	_ = toNode.Close()
	return command.Wait()
}

// pass carries out one call, of one message each way or of many.
func pass(stream grpc.ServerStream, up *grpc.ClientConn, node string, rules Rules, product int) error {
	method, _ := grpc.MethodFromServerStream(stream)
	call := method[strings.LastIndexByte(method, '.')+1:]
	var request []byte
	if err := stream.RecvMsg(&request); err != nil {
		return err
	}
	if err := rules.apply(call, node, false, product); err != nil {
		return status.Error(codes.Unknown, err.Error())
	}
	ctx := stream.Context()
	if from, ok := metadata.FromIncomingContext(ctx); ok {
		to := metadata.MD{}
		for _, key := range []string{"containerd-namespace", "containerd-lease"} {
			to[key] = from.Get(key)
		}
		ctx = metadata.NewOutgoingContext(ctx, to)
	}
	upstream, err := up.NewStream(ctx, &grpc.StreamDesc{ClientStreams: true, ServerStreams: true}, method)
	if err != nil {
		return err
	}
	go func() {
		for err := upstream.SendMsg(&request); err == nil; err = upstream.SendMsg(&request) {
			if stream.RecvMsg(&request) != nil {
				break
			}
		}
		_ = upstream.CloseSend()
	}()
	for answered := false; ; answered = true {
		var answer []byte
		if err := upstream.RecvMsg(&answer); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		if !answered {
			if err := rules.apply(call, node, true, product); err != nil {
				return status.Error(codes.Unknown, err.Error())
			}
		}
		if err := stream.SendMsg(&answer); err != nil {
			return err
		}
	}
}

func dial(conn net.Conn) (*grpc.ClientConn, error) {
	var taken atomic.Bool
	return grpc.NewClient("passthrough:///node", grpc.WithTransportCredentials(insecure.NewCredentials()),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{}), grpc.MaxCallRecvMsgSize(64<<20)),
		grpc.WithContextDialer(func(context.Context, string) (net.Conn, error) {
			if taken.Swap(true) {
				return nil, io.ErrClosedPipe
			}
			return conn, nil
		}))
}

// raw leaves messages as they are.
type raw struct{}

func (raw) Name() string { return "proto" }

func (raw) Marshal(v any) ([]byte, error) {
	message, ok := v.(*[]byte)
	if !ok {
		return nil, fmt.Errorf("%T is no message", v)
	}
	return *message, nil
}

func (raw) Unmarshal(data []byte, v any) error {
	message, ok := v.(*[]byte)
	if !ok {
		return fmt.Errorf("%T is no message", v)
	}
	*message = append([]byte{}, data...)
	return nil
}

// streams are a connection over two pipes.
type streams struct {
	io.Reader
	io.WriteCloser
	once sync.Once
	over chan struct{}
}

type address struct{}

func (address) Network() string { return "pipe" }
func (address) String() string  { return "pipe" }

// Close implements net.Conn.
func (s *streams) Close() error {
	s.once.Do(func() { close(s.over) })
	return s.WriteCloser.Close()
}

// LocalAddr implements net.Conn.
func (*streams) LocalAddr() net.Addr { return address{} }

// RemoteAddr implements net.Conn.
func (*streams) RemoteAddr() net.Addr { return address{} }

// SetDeadline implements net.Conn.
func (*streams) SetDeadline(time.Time) error { return nil }

// SetReadDeadline implements net.Conn.
func (*streams) SetReadDeadline(time.Time) error { return nil }

// SetWriteDeadline implements net.Conn.
func (*streams) SetWriteDeadline(time.Time) error { return nil }

// once is a listener with one connection; it ends with that.
type once struct {
	conn  *streams
	given bool
}

// Accept implements net.Listener.
func (l *once) Accept() (net.Conn, error) {
	if l.given {
		<-l.conn.over
		return nil, io.EOF
	}
	l.given = true
	return l.conn, nil
}

// Close implements net.Listener.
func (l *once) Close() error { return nil }

// Addr implements net.Listener.
func (*once) Addr() net.Addr { return address{} }
