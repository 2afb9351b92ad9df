package cli

import (
	"errors"
	"strings"
	"sync"
	"testing"

	"k8s.io/klog/v2"
)

// sink is written to by whoever logs in this process.
type sink struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *sink) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *sink) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// It is not parallel: the log is the process's.
func TestTheLogIsMaskedAndHarmless(t *testing.T) {
	var logged sink
	LogTo(&logged)
	klog.FromContext(t.Context()).Info("Request Body", "body", "{\"kind\":\"Pod\",\"env\":[{\"name\":\"DB_PASSWORD\",\"value\":\"hunter2\"}]}\n\x1b[31mx\u202e")
	klog.FromContext(t.Context()).Error(errors.New("once"), "failed", "url", "https://me:hunter2@host/")
	klog.Flush()
	got := logged.String()
	if strings.Contains(got, "hunter2") || strings.ContainsAny(got, "\x1b\u202e") || !strings.Contains(got, "DB_PASSWORD") || strings.Count(got, "once") != 1 {
		t.Errorf("%s", got)
	}
}
