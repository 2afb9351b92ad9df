package e2eimage

import (
	"errors"
	"strings"
	"sync/atomic"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/schema"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestAWatchGoesOnUnlessAskingAgainBringsNothing(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	for name, test := range map[string]struct {
		answer error
		// asked is how many requests get that answer.
		asked int32
		// seen is how often the watch could tell, and ended with what.
		seen  int
		ended error
	}{
		"an API server that does not answer once": {apierrors.NewServiceUnavailable("it restarts"), 1, 2, enough},
		"a right that was taken away":             {apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no")), 100, 1, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			image := b.tagged("suite")
			var failures atomic.Int32
			b.api.PrependReactor("*", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
				return failures.Add(-1) >= 0, nil, test.answer
			})
			told, client, seen := &warned{}, b.client(), 0
			in := StatusInput{Suite: suite("suite", "datastorage")}
			in.Suite.Freshness = config.FreshnessOff
			client.report = told
			err := client.WatchStatus(t.Context(), in, func(*StatusResult) error {
				if seen++; seen == 2 {
					return enough
				}
				failures.Store(test.asked)
				b.deployment("datastorage", image)
				return nil
			})
			if seen != test.seen || test.ended != nil && !errors.Is(err, test.ended) || test.ended == nil && !apierrors.IsForbidden(err) {
				t.Errorf("it told %d times and ended with %v", seen, err)
			}
			retried := strings.Join(told.said, "\n")
			if want := test.ended != nil; strings.Contains(retried, "cannot look, and tries again") != want || len(told.said) > 1 {
				t.Errorf("it warned of %q", told.said)
			}
		})
	}
}
