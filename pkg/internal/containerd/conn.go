package containerd

import (
	"net"
	"sync"
)

// conn is a connection to a node's containerd, with what the node told about itself before.
type conn struct {
	net.Conn
	handshake Handshake
	// over is closed when the connection is; why says the cause, nil if none
	// is known.
	over chan struct{}
	why  error
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
