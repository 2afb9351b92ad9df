package e2eimage

import (
	"errors"
	"net"
	"strings"
	"sync/atomic"
	"syscall"
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

func TestAFirstLookIsTriedAgainWhereItsFailureMayPass(t *testing.T) {
	t.Parallel()
	enough := errors.New("enough")
	refused := &net.OpError{Op: "dial", Net: "tcp", Err: syscall.ECONNREFUSED}
	for name, test := range map[string]struct {
		answer error
		change func(*StatusInput)
		passes bool
	}{
		"the API server starts":        {answer: apierrors.NewServiceUnavailable("it restarts"), passes: true},
		"its host does not listen yet": {answer: refused, passes: true},
		"it may not be asked": {
			answer: apierrors.NewForbidden(schema.GroupResource{Resource: "configmaps"}, "", errors.New("no")),
			change: func(in *StatusInput) { in.Suite.Consumer = "" },
		},
		"there is no such Kind cluster":  {change: func(in *StatusInput) { in.Suite.KindCluster = "other" }},
		"what is asked for is a mistake": {change: func(in *StatusInput) { in.Suite.Consumer = "NOT/A/NAME" }},
		"there is no such namespace":     {answer: apierrors.NewNotFound(schema.GroupResource{Resource: "namespaces"}, namespace)},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			var failures atomic.Int32
			b.api.PrependReactor("list", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
				list, ok := action.(clienttesting.ListActionImpl)
				if !ok || list.ListOptions.ResourceVersion != "" || test.answer == nil {
					// What is watched is listed, too, but from a cache.
					return false, nil, nil
				}
				return failures.Add(1) == 1, nil, test.answer
			})
			told, client, seen := &warned{}, b.client(), 0
			client.report = told
			in := StatusInput{Suite: suite("suite", "datastorage")}
			in.Suite.Freshness = config.FreshnessOff
			if test.change != nil {
				test.change(&in)
			}
			err := client.WatchStatus(t.Context(), in, func(*StatusResult) error { seen++; return enough })
			if passed := seen == 1 && errors.Is(err, enough); passed != test.passes {
				t.Errorf("it told %d times and ended with %v", seen, err)
			}
			if retried := strings.Contains(strings.Join(told.said, "\n"), "tries again"); retried != test.passes {
				t.Errorf("it warned of %q", told.said)
			}
		})
	}
}
