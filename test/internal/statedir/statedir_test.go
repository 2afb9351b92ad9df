package statedir

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"time"
)

func TestPath(t *testing.T) {
	cache := func() (string, error) { return "/home/u/.cache", nil }
	none := func() (string, error) { return "", errors.New("no HOME") }
	for _, c := range []struct {
		name, variable string
		cache          func() (string, error)
		uid            int
		want, wantErr  string
	}{
		{"variable wins", "/x/y/", cache, 1, "/x/y", ""},
		{"relative variable", "x", cache, 1, "", "not an absolute path"},
		{"cache folder", "", cache, 1, "/home/u/.cache/e2eimage-test", ""},
		{"root without HOME", "", none, 0, "/var/cache/e2eimage-test", ""},
		{"user without HOME", "", none, 1, "", "set " + Variable},
	} {
		t.Run(c.name, func(t *testing.T) {
			got, err := path(func(string) string { return c.variable }, c.cache, c.uid)
			if got != c.want || (err == nil) != (c.wantErr == "") || err != nil && !strings.Contains(err.Error(), c.wantErr) {
				t.Errorf("got %q, %v", got, err)
			}
		})
	}
}

func TestLockExcludesAndIsGivenBack(t *testing.T) {
	dir := t.TempDir()
	unlock, err := Lock(t.Context(), dir, "x", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
	defer cancel()
	var log strings.Builder
	if _, err := Lock(ctx, dir, "x", &log); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a second lock: %v", err)
	}
	if !strings.Contains(log.String(), "waiting for another process") {
		t.Errorf("log %q", log.String())
	}
	unlock()
	unlock, err = Lock(t.Context(), dir, "x", io.Discard)
	if err != nil {
		t.Fatal(err)
	}
	unlock()
}
