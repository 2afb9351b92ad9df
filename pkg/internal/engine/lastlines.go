package engine

import (
	"io"
	"strings"
	"sync"
)

// lastLines passes on what is written and keeps the end of it.
type lastLines struct {
	to io.Writer

	mu   sync.Mutex
	kept []byte
}

// keptBytes is about a dozen lines.
const keptBytes = 2 << 10

// Write implements io.Writer. A reader that went away is no failure of the build.
func (l *lastLines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.kept = append(l.kept, p...)
	l.kept = l.kept[max(0, len(l.kept)-keptBytes):]
	if l.to != nil {
		_, _ = l.to.Write(p)
	}
	return len(p), nil
}

// String returns whole lines only.
func (l *lastLines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	text := string(l.kept)
	if len(l.kept) == keptBytes {
		_, text, _ = strings.Cut(text, "\n")
	}
	return strings.TrimSpace(text)
}
