package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
)

// loadable is a suite of which the nodes have one image, and an engine the other.
func loadable(t *testing.T) (*Suite, *bench) {
	t.Helper()
	b := newBench(t)
	docker := enginetest.New(enginetest.Docker)
	docker.Put("localhost/gateway:dev", enginetest.NewImage("first"))
	s := b.defined(Definition{Images: []ImageDefinition{
		{Name: "datastorage", Source: source}, {Name: "gateway", Source: "localhost/gateway:dev"},
	}})
	s.client.runner = besideCluster{docker, b.cluster}
	return s, b
}

// A method that is cut at any of its calls to the nodes says so, and the next run goes on
// from what is there: no tag without a record, no record without its tags.
func TestAMethodThatIsCutSaysSoAndLeavesAWholeState(t *testing.T) {
	t.Parallel()
	second := func(_ any, err error) error { return err }
	methods := map[string]func(context.Context, *Suite) error{
		"Load":   func(ctx context.Context, s *Suite) error { return second(s.Load(ctx, Only("gateway"))) },
		"Tag":    func(ctx context.Context, s *Suite) error { return second(s.Tag(ctx, Only("datastorage"))) },
		"Status": func(ctx context.Context, s *Suite) error { return second(s.Status(ctx)) },
		"Verify": func(ctx context.Context, s *Suite) error { return second(s.Verify(ctx, Only("datastorage"))) },
		"Down":   func(ctx context.Context, s *Suite) error { return s.Down(ctx, RemoveWorkloads()) },
	}
	for name, method := range methods {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for at := int64(1); ; at++ {
				cause := fmt.Errorf("cut at call %d", at)
				ctx, cancel := context.WithCancelCause(t.Context())
				s, b := loadable(t)
				if name != "Load" && name != "Tag" {
					b.tagged("suite")
				}
				var calls atomic.Int64
				b.cluster.Before = func(string, string) error {
					if calls.Add(1) == at {
						cancel(cause)
					}
					return nil
				}
				err := method(ctx, s)
				if cut := ctx.Err() != nil; cut && err != nil && (!errors.Is(err, cause) || !errors.Is(err, context.Canceled)) {
					t.Fatalf("at call %d: %v", at, err)
				} else if !cut && at > 1 {
					return
				}
				cancel(nil)
				if tags, records := len(b.cluster.Tags()), len(b.records("suite")); records == 1 && tags != 3 || records == 0 && tags > 0 && b.configMap("suite") == nil {
					t.Errorf("at call %d: %d records, nodes have %s", at, records, strings.Join(b.cluster.Tags(), ", "))
				}
				if _, err := s.Tag(t.Context(), Only("datastorage")); err != nil {
					t.Errorf("at call %d, run again: %v", at, err)
				}
				if err := s.Down(t.Context()); err != nil || len(b.cluster.Tags()) > 0 {
					t.Errorf("at call %d, taken down: %v, %v", at, err, b.cluster.Tags())
				}
			}
		})
	}
}
