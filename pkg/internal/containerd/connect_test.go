package containerd_test

import (
	"context"
	"errors"
	"io"
	"strings"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/containerd/containerdtest"
)

const (
	name    = "localhost/a:dev"
	imageID = "sha256:1111"
	label   = "example.com/owner"
)

// node is one that has an image, and what an exec in it does.
func node() (*containerdtest.Node, func(context.Context, []string, io.Reader, io.Writer) error) {
	fake := containerdtest.New([]byte("CA\n"), label)
	fake.Change(func(n *containerdtest.Node) { n.Load(name, imageID) })
	return fake, func(ctx context.Context, _ []string, stdin io.Reader, stdout io.Writer) error {
		return fake.Serve(ctx, stdin, stdout, func(_ string, do func() error) error { return do() })
	}
}

func TestAClientTellsWhatANodeHas(t *testing.T) {
	t.Parallel()
	fake, exec := node()
	fake.Change(func(n *containerdtest.Node) { n.Owners[name] = "me" })
	client, err := containerd.Connect(t.Context(), containerd.Node{Name: "n1", Exec: exec})
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	if told := client.Handshake(); strings.TrimSpace(string(told.CA)) != "CA" || told.Machine != "x86_64" || len(strings.TrimSpace(string(told.Pulled))) > 0 {
		t.Errorf("handshake %q", told)
	}
	if image, err := client.Image(t.Context(), name); err != nil || image.ID != imageID {
		t.Errorf("image %q, error %v", image.ID, err)
	}
	if image, err := client.Image(t.Context(), "localhost/none:1"); err != nil || image.ID != "" {
		t.Errorf("image %q, error %v", image.ID, err)
	}
	held, err := client.Name(t.Context(), name)
	if err != nil || held.Text != name || held.Labels[label] != "me" {
		t.Errorf("name %v, error %v", held, err)
	}
	if err := client.CreateName(t.Context(), name, held.Target, nil); !containerd.IsExists(err) {
		t.Errorf("a name that is there was made: %v", err)
	}
	if _, err := client.Name(t.Context(), "localhost/none:1"); !containerd.IsNotFound(err) {
		t.Errorf("error %v", err)
	}
}

func TestAContainerdThatAcceptsAndSaysNothingIsGivenUp(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		client, err := containerd.Connect(t.Context(), containerd.Node{
			Exec: func(_ context.Context, _ []string, stdin io.Reader, stdout io.Writer) error {
				if _, err := io.WriteString(stdout, "\n@@e2eimage connected\n"); err != nil {
					return err
				}
				_, err := io.Copy(io.Discard, stdin)
				return err
			},
		})
		if err != nil {
			t.Fatal(err)
		}
		begun := time.Now()
		_, err = client.Images(t.Context())
		var silent *containerd.NoResponseError
		if !errors.As(err, &silent) || time.Since(begun) != time.Minute || client.Usable() {
			t.Errorf("after %s: %v", time.Since(begun), err)
		}
		client.Close()
	})
}

func TestAnExecThatSaysNothingIsTriedAgain(t *testing.T) {
	t.Parallel()
	for times, gives := range map[int32]bool{1: true, 2: true, 3: false} {
		synctest.Test(t, func(t *testing.T) {
			_, exec := node()
			var left atomic.Int32
			left.Store(times)
			client, err := containerd.Connect(t.Context(), containerd.Node{
				Exec: func(ctx context.Context, argv []string, stdin io.Reader, stdout io.Writer) error {
					if left.Add(-1) >= 0 {
						// Silent until it is killed.
						<-ctx.Done()
						return context.Cause(ctx)
					}
					return exec(ctx, argv, stdin, stdout)
				},
			})
			var silent *containerd.NoResponseError
			if gives != (err == nil) || !gives && !errors.As(err, &silent) {
				t.Errorf("silent %d times: %v", times, err)
			}
			if err == nil {
				client.Close()
			}
			// What ignores the end of its stdin is killed a little later.
			time.Sleep(time.Minute) // in synctest's bubble its clock jumps: nobody waits
		})
	}
}
