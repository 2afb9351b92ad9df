package engine

import (
	"context"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/synctest"
	"time"
)

func TestAPullIsTriedAgainWhereThatMayHelp(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		stderr      string
		fails, want int
		after       time.Duration
		says        string
	}{
		"one that works":                    {"", 0, 1, 0, ""},
		"a network that comes back":         {"dial tcp 10.0.0.1:443: i/o timeout", 2, 3, 3 * time.Second, ""},
		"a registry that is down":           {"received unexpected HTTP status: 503 Service Unavailable", 9, 4, 7 * time.Second, "cannot pull r.example/x:1 after 4 tries: podman pull"},
		"an image that there is not":        {"manifest unknown: manifest tagged by \"1\" is not found", 9, 1, 0, "cannot pull r.example/x:1: podman pull"},
		"a login that is missing":           {"unauthorized: authentication required", 9, 1, 0, "unauthorized"},
		"docker's word for a missing login": {"pull access denied for x, repository does not exist or may require 'docker login'", 9, 1, 0, "denied"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			failing := fails(t, test.stderr)
			synctest.Test(t, func(t *testing.T) {
				tries, told, begun := 0, 0, time.Now()
				answers := host{"podman pull --quiet -- r.example/x:1": func(argv []string, out io.Writer) error {
					if tries++; tries <= test.fails {
						return failing(argv, out)
					}
					return nil
				}}
				err := Pull(t.Context(), answers, "podman", "r.example/x:1", func(error) { told++ })
				if test.says == "" && err != nil || test.says != "" && (err == nil || !strings.Contains(err.Error(), test.says)) {
					t.Errorf("it says %v", err)
				}
				took := time.Since(begun)
				if tries != test.want || told != test.want-1 || took < test.after || took > test.after*12/10 {
					t.Errorf("%d tries, %d told, after %s", tries, told, took)
				}
			})
		})
	}
}

func TestAPullEndsWithItsContext(t *testing.T) {
	t.Parallel()
	failing := fails(t, "i/o timeout")
	synctest.Test(t, func(t *testing.T) {
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("gone")
		err := Pull(ctx, host{"docker pull": failing}, "docker", "x:1", func(error) { cancel(gone) })
		if !errors.Is(err, gone) {
			t.Errorf("it is %v", err)
		}
	})
	if err := Pull(t.Context(), host{}, "docker", "x:1", func(error) { t.Error("tried again") }); err == nil {
		t.Error("an engine that is not installed: no error")
	}
}
