package kindnode

import (
	"bytes"
	"context"
	"errors"
	"sync"
)

// sessions are the open ones, one for each node.
type sessions struct {
	mu   sync.Mutex
	open map[string]*opening
	// authorities are the PEM of the nodes' certificate authorities.
	authorities map[string][]byte
}

// opening is a session that is there or being opened.
type opening struct {
	done    chan struct{}
	session *session
	err     error
}

// session returns the node's session, opening one if there is none that works.
func (c *Cluster) session(ctx context.Context, node string) (*session, error) {
	entry, mine, broken := c.sessions.enter(node)
	if broken != nil {
		broken.close()
	}
	if !mine {
		select {
		case <-entry.done:
			return entry.session, entry.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	defer close(entry.done)
	if entry.session, entry.err = c.connect(ctx, node); entry.err != nil {
		return nil, entry.err
	}
	if !c.sessions.known(node, entry.session.greeting["ca"]) {
		entry.session.close()
		entry.err = errors.New("its certificate authority has changed: the cluster was recreated meanwhile; run again")
	}
	return entry.session, entry.err
}

// enter returns the node's entry, and whether it is the caller's to fill; then a
// broken session that stood there before is the caller's to close.
func (s *sessions) enter(node string) (entry *opening, mine bool, broken *session) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if entry = s.open[node]; entry != nil && entry.usable() {
		return entry, false, nil
	}
	if entry != nil {
		broken = entry.session
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
func (s *sessions) known(node string, authority []byte) bool {
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
	default:
		return true
	}
	if o.err != nil || o.session.silent.Load() {
		return false
	}
	select {
	case <-o.session.over:
		return false
	default:
		return true
	}
}

// Close ends all sessions. The cluster can be used again: it opens new ones.
func (c *Cluster) Close() {
	c.sessions.mu.Lock()
	open := c.sessions.open
	c.sessions.open = map[string]*opening{}
	c.sessions.mu.Unlock()
	var all sync.WaitGroup
	for _, entry := range open {
		all.Go(func() {
			<-entry.done
			if entry.session != nil {
				entry.session.close()
			}
		})
	}
	all.Wait()
}
