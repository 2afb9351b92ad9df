package kindnode

import (
	"context"
	"sync"
)

// sessions are the open ones, one for each node.
type sessions struct {
	mu   sync.Mutex
	open map[string]*opening
}

// opening is a session that is there or being opened.
type opening struct {
	done    chan struct{}
	session *session
	err     error
}

// session returns the node's session, opening one if there is none that works.
func (c *Cluster) session(ctx context.Context, node string) (*session, error) {
	c.sessions.mu.Lock()
	entry := c.sessions.open[node]
	if entry != nil && entry.usable() {
		c.sessions.mu.Unlock()
		select {
		case <-entry.done:
			return entry.session, entry.err
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		}
	}
	if c.sessions.open == nil {
		c.sessions.open = map[string]*opening{}
	}
	if entry != nil && entry.session != nil {
		entry.session.close()
	}
	entry = &opening{done: make(chan struct{})}
	c.sessions.open[node] = entry
	c.sessions.mu.Unlock()
	defer close(entry.done)
	entry.session, entry.err = c.connect(ctx, node)
	return entry.session, entry.err
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
	defer c.sessions.mu.Unlock()
	for node, entry := range c.sessions.open {
		select {
		case <-entry.done:
			if entry.session != nil {
				entry.session.close()
			}
			delete(c.sessions.open, node)
		default:
		}
	}
}
