package containerd

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io"
	"net"
	"runtime"
	"strings"
	"time"
)

const (
	// networkLimit is how long a node of this host may take to accept: it is one hop
	// away. Where the engine is in a virtual machine nobody answers at all.
	networkLimit = 200 * time.Millisecond
	// passwordLimit is how long it may take to say its password then.
	passwordLimit = 2 * time.Second
	// passwordLength in hexadecimal digits.
	passwordLength = 32
)

// connectByNetwork connects to the program that an exec has started in the node, past the
// engine, which copies each byte several times. The handshake that came through the exec
// has the node's address and two passwords: one that the node says first, so that ours is
// not told to another host with that address, and then ours. It fails where the node's network
// is not this host's.
func connectByNetwork(ctx context.Context, handshake Handshake) (net.Conn, error) {
	if runtime.GOOS != "linux" {
		return nil, errors.New("containers have a network of their own here")
	}
	said := strings.Fields(handshake.network)
	if len(said) != 2 || len(said[1]) != 2*passwordLength {
		return nil, errors.New("it tells no address")
	}
	address, theirs, ours := said[0], said[1][:passwordLength], said[1][passwordLength:]
	conn, err := (&net.Dialer{Timeout: networkLimit}).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, err
	}
	if err := exchangePasswords(conn, theirs, ours); err != nil {
		return nil, errors.Join(fmt.Errorf("%s: %w", address, err), conn.Close())
	}
	return conn, nil
}

// exchangePasswords hears their password and says ours.
func exchangePasswords(conn net.Conn, theirs, ours string) error {
	if err := conn.SetDeadline(time.Now().Add(passwordLimit)); err != nil {
		return err
	}
	heard := make([]byte, len(theirs))
	if _, err := io.ReadFull(conn, heard); err != nil {
		return err
	}
	if subtle.ConstantTimeCompare(heard, []byte(theirs)) != 1 {
		return errors.New("it is somebody else")
	}
	if _, err := io.WriteString(conn, ours); err != nil {
		return err
	}
	return conn.SetDeadline(time.Time{})
}

// besideExec is a connection over the network, and the exec that it ends with.
type besideExec struct {
	net.Conn
	exec io.Closer
}

// Read implements io.Reader. A connection that broke off ends the exec.
func (b besideExec) Read(p []byte) (int, error) {
	n, err := b.Conn.Read(p)
	if err != nil {
		_ = b.exec.Close()
	}
	return n, err
}

// Close implements io.Closer.
func (b besideExec) Close() error { return errors.Join(b.Conn.Close(), b.exec.Close()) }
