package cli

import (
	"context"
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestARunThatIsStoppedSumsUp(t *testing.T) {
	t.Parallel()
	stopped, late := &SignalError{os.Interrupt}, &e2eimage.TimeoutError{Err: errors.New("it is not rolled out: Timeout")}
	upped := &e2eimage.UpResult{
		Built:  []e2eimage.BuiltImage{{Name: "datastorage", Changed: true}, {Name: "gateway"}},
		Loaded: []e2eimage.LoadedImage{{Name: "datastorage"}, {Name: "gateway"}},
	}
	recorded := *upped
	recorded.Tagged, recorded.Deployed = taggedTwo().Images, deployedTwo()
	for name, test := range map[string]struct {
		line string
		err  error
		set  func(*library)
		want string
	}{
		"before anything was done": {
			"up", stopped, func(l *library) { l.upped = &e2eimage.UpResult{} },
			"stopped by SIGINT\nnothing was changed\ngo on: kubectl e2eimage up\n",
		},
		"while it tags": {
			"up datastorage gateway -n tests --use lock", &e2eimage.UndoneError{Images: []string{"localhost/gateway:suite-2"}, Err: stopped},
			func(l *library) { l.upped = upped },
			"stopped by SIGINT\nstays: built datastorage; loaded datastorage, gateway\ntaken back: localhost/gateway:suite-2\n" +
				"go on: kubectl e2eimage up datastorage gateway -n tests --use lock\n",
		},
		"while it waits": {
			"up -f deploy -f more/x.yaml --skip-build --context kind-dev --token hunter2", stopped, func(l *library) { l.upped = &recorded },
			"stopped by SIGINT\nstays: built datastorage; loaded datastorage, gateway; recorded localhost/gateway:suite-2; " +
				"changed deployment.apps/datastorage\n" +
				"go on: kubectl e2eimage up --context kind-dev -f deploy -f more/x.yaml --skip-build\n",
		},
		"deploy before it changes anything": {
			"deploy datastorage", stopped, func(l *library) { l.partly = false },
			"stopped by SIGINT\nnothing was changed\ngo on: kubectl e2eimage deploy datastorage\n",
		},
		"deploy that takes too long": {
			"deploy datastorage --timeout 1s --pull-policy=Never", late, func(l *library) { l.deployed = deployedTwo() },
			"it is not rolled out: Timeout\nstays: changed deployment.apps/datastorage\n" +
				"go on: kubectl e2eimage deploy datastorage --pull-policy Never --timeout 1s\n",
		},
		"deploy of what was there, behind a report": {
			"deploy datastorage", &e2eimage.TimeoutError{Err: errors.New("it is not rolled out: Timeout\n  pod x")}, func(l *library) {
				l.deployed = &e2eimage.DeployResult{Workloads: deployedTwo().Workloads[1:]}
			},
			"it is not rolled out: Timeout\n  pod x\n\nnothing was changed\ngo on: kubectl e2eimage deploy datastorage\n",
		},
		"deploy for programs": {
			"deploy datastorage -o json", stopped, func(l *library) { l.deployed = deployedTwo() },
			"stopped by SIGINT\nstays: changed deployment.apps/datastorage\ngo on: kubectl e2eimage deploy datastorage -o json\n",
		},
		"another failure says nothing of it": {"up", errors.New("no"), func(l *library) { l.upped = upped }, "no\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancelCause(t.Context())
			defer cancel(nil)
			c := newConsole(t)
			c.config(twoImagesFile)
			c.write("deploy/x.yaml", "kind: Service\n")
			c.write("more/x.yaml", "kind: Service\n")
			c.library.partly, c.library.err = true, test.err
			c.library.during = func(context.Context) {
				if errors.Is(test.err, stopped) {
					cancel(stopped)
				}
			}
			test.set(&c.library)
			code := c.runArgs(ctx, strings.Fields(test.line)...)
			if code != exitCode(test.err) || c.errOut.String() != "error: "+test.want {
				t.Errorf("exit code %d, stderr %s", code, c.errOut.String())
			}
		})
	}
}
