package e2eimagetest

import (
	"context"
	"errors"
	"strings"
	"sync"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestASuiteGoesThroughItsStates(t *testing.T) {
	t.Parallel()
	ctx, f := t.Context(), New("suite", "datastorage", "gateway")
	if _, err := f.Deploy(ctx); e2eimage.CodeOf(err) != e2eimage.CodeNotRecorded || len(e2eimage.Errors(err)) != 2 {
		t.Errorf("deploy before tag: %v", err)
	}
	if _, err := f.Tag(ctx); e2eimage.CodeOf(err) != e2eimage.CodeNotLoaded {
		t.Errorf("tag before load: %v", err)
	}
	built, err := f.Build(ctx)
	if err != nil || !built.Images[0].Changed {
		t.Errorf("%+v, %v", built, err)
	}
	if _, err := f.Load(ctx); err != nil {
		t.Error(err)
	}
	tagged, err := f.Tag(ctx)
	if err != nil || tagged.Image("datastorage") != built.Images[0].Image || tagged.Image("gateway") == "" {
		t.Errorf("%+v, %v", tagged, err)
	}
	_, err = f.Verify(ctx)
	var found *e2eimage.DisagreementError
	if !errors.As(err, &found) || found.Images[0].State != e2eimage.StateNotRunning || e2eimage.ExitCode(err) != 3 {
		t.Errorf("verify before deploy: %v", err)
	}
	if deployed, err := f.Deploy(ctx); err != nil || deployed.Workloads[1].Action != "image updated" {
		t.Errorf("%+v, %v", deployed, err)
	}
	if status, err := f.Verify(ctx); err != nil || status.Images[0].Running != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	f.Change("gateway")
	if _, err := f.Deploy(ctx); e2eimage.CodeOf(err) != e2eimage.CodeStale || e2eimage.ExitCode(err) != 3 {
		t.Errorf("deploy of what is old: %v", err)
	}
	if _, err := f.Deploy(ctx, e2eimage.AllowStale()); err != nil {
		t.Error(err)
	}
	again, err := f.Up(ctx)
	if err != nil || again.Image("datastorage") != tagged.Image("datastorage") || again.Image("gateway") == tagged.Image("gateway") {
		t.Errorf("%+v, %v", again, err)
	}
	var inUse *e2eimage.InUseError
	if err := f.Down(ctx); !errors.As(err, &inUse) || len(inUse.Left) != 2 || e2eimage.CodeOf(err) != e2eimage.CodeInUse {
		t.Errorf("%v", err)
	}
	if err := f.Down(ctx, e2eimage.RemoveWorkloads()); err != nil {
		t.Error(err)
	}
	if _, err := f.Images(ctx); e2eimage.CodeOf(err) != e2eimage.CodeNotRecorded {
		t.Errorf("%v", err)
	}
	if got := f.Called(); !strings.HasPrefix(got, "Deploy Tag Build Load Tag Verify Deploy Verify") {
		t.Error(got)
	}
}

func TestCallsAreKeptAndFailOnDemand(t *testing.T) {
	t.Parallel()
	f, failed := New("suite", "datastorage"), &e2eimage.RolloutError{Reason: "CrashLoopBackOff"}
	f.Fail(e2eimage.VerbUp, failed, nil)
	_, err := f.Up(t.Context(), e2eimage.Apply("deploy/"), e2eimage.TakeOver())
	var rollout *e2eimage.RolloutError
	if !errors.As(err, &rollout) || rollout.Reason != "CrashLoopBackOff" {
		t.Errorf("%v", err)
	}
	for range 2 {
		if _, err := f.Up(t.Context()); err != nil {
			t.Error(err)
		}
	}
	if call := f.Calls()[0]; call.Verb != e2eimage.VerbUp || call.Choices.Apply[0] != "deploy/" || !call.Choices.TakeOver || len(f.Calls()) != 3 {
		t.Errorf("%+v", f.Calls())
	}
}

func TestMistakesAndEndsAreTheSame(t *testing.T) {
	t.Parallel()
	f := New("suite", "datastorage")
	var usage *e2eimage.UsageError
	if _, err := f.Tag(t.Context(), e2eimage.Only("none"), e2eimage.Wait()); !errors.As(err, &usage) || !strings.Contains(err.Error(), `"none"`) || !strings.Contains(err.Error(), "Wait means nothing to Tag") {
		t.Errorf("%v", err)
	}
	cause := errors.New("the suite was interrupted")
	ctx, cancel := context.WithCancelCause(t.Context())
	cancel(cause)
	if _, err := f.Up(ctx); !errors.Is(err, cause) || !errors.Is(err, context.Canceled) {
		t.Errorf("%v", err)
	}
}

func TestRenderAndHelmSayWhatIsRecorded(t *testing.T) {
	t.Parallel()
	f := New("suite", "datastorage", "gateway")
	f.Helm = map[string]string{"datastorage.tag": "{{.Tag}}", "gateway.image": "{{.Image}}"}
	images, err := f.Up(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	rendered, err := f.Render(t.Context(), e2eimage.Manifests(e2eimage.Manifest{Text: []byte("image: e2eimage://gateway\n")}))
	if err != nil || string(rendered[0].Text) != "image: "+images.Image("gateway")+"\n" {
		t.Errorf("%s, %v", rendered, err)
	}
	if values, err := images.HelmValues(); err != nil || values["gateway.image"] != images.Image("gateway") {
		t.Errorf("%v, %v", values, err)
	}
	part, err := f.Images(t.Context(), e2eimage.Only("gateway"))
	if err != nil || len(part.Images) != 1 {
		t.Errorf("%+v, %v", part, err)
	}
}

func TestSeveralProcessesUseItAtOnce(t *testing.T) {
	t.Parallel()
	f := New("suite", "datastorage")
	var all sync.WaitGroup
	for range 20 {
		all.Go(func() {
			if _, err := f.Up(t.Context()); err != nil {
				t.Error(err)
			}
			_, _ = f.Verify(t.Context())
			f.Change()
		})
	}
	all.Wait()
	if len(f.Calls()) != 40 {
		t.Errorf("%d calls", len(f.Calls()))
	}
}
