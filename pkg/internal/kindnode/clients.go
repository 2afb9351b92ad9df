package kindnode

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// clients are the open ones, one for each node.
type clients struct {
	mu   sync.Mutex
	open map[string]*opening
	// authorities are the PEM of the nodes' certificate authorities.
	authorities map[string][]byte
}

// opening is a client that is there or being opened.
type opening struct {
	done   chan struct{}
	client *containerd.Client
	err    error
}

// client returns the node's client, opening one if there is none that works.
func (c *Cluster) client(ctx context.Context, node string) (*containerd.Client, error) {
	entry, mine, broken := c.clients.enter(node)
	if broken != nil {
		broken.Close()
	}
	if !mine {
		select {
		case <-entry.done:
			return entry.client, entry.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	defer close(entry.done)
	if entry.client, entry.err = c.connect(ctx, node); entry.err != nil {
		return nil, entry.err
	}
	if !c.clients.known(node, entry.client.Handshake().CA) {
		entry.client.Close()
		entry.err = errors.New("its certificate authority has changed: the cluster was recreated meanwhile; run again")
	}
	return entry.client, entry.err
}

// connect says how the node's containerd is reached.
func (c *Cluster) connect(ctx context.Context, name string) (*containerd.Client, error) {
	node := c.node(name)
	return containerd.Connect(ctx, containerd.Node{
		Name: name, ContainerID: node.id, PID: node.pid,
		Exec: func(ctx context.Context, argv []string, stdin io.Reader, stdout io.Writer) error {
			err := c.exec(ctx, name, clientLimit, argv, stdin, stdout)
			var failed *hostexec.CommandError
			if errors.As(err, &failed) && failed.ExitCode() == exitNotFound {
				return fmt.Errorf("the node has no %s, which every node image of kind has; rebuild yours with it: %w",
					argv[0], err)
			}
			return err
		},
	})
}

// enter returns the node's entry, and whether it is the caller's to fill; then a
// broken client that stood there before is the caller's to close.
func (s *clients) enter(node string) (entry *opening, mine bool, broken *containerd.Client) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry = s.open[node]; entry != nil && entry.usable() {
		return entry, false, nil
	}
	if entry != nil {
		broken = entry.client
	}
	if s.open == nil {
		s.open = map[string]*opening{}
	}
	entry = &opening{done: make(chan struct{})}
	s.open[node] = entry
	return entry, true, broken
}

// known tells whether the node has the certificate authority that it had when it
// was first connected: that one is what callers compare with the API server's.
func (s *clients) known(node string, authority []byte) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	first, seen := s.authorities[node]
	if !seen {
		if s.authorities == nil {
			s.authorities = map[string][]byte{}
		}
		s.authorities[node] = authority
	}
	return !seen || bytes.Equal(bytes.TrimSpace(first), bytes.TrimSpace(authority))
}

// usable tells whether it is worth waiting for or working with.
func (o *opening) usable() bool {
	select {
	case <-o.done:
		return o.err == nil && o.client.Usable()
	default:
		return true
	}
}

// Close ends all connections. The cluster can be used again: it opens new ones.
func (c *Cluster) Close() {
	c.clients.mu.Lock()
	open := c.clients.open
	c.clients.open = map[string]*opening{}
	c.clients.mu.Unlock()
	var all sync.WaitGroup
	for _, entry := range open {
		all.Go(func() {
			<-entry.done
			if entry.client != nil {
				entry.client.Close()
			}
		})
	}
	all.Wait()
}
