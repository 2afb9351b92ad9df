package e2eimage

import (
	"slices"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestASuiteForTheHostNeedsNoCluster(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"gather": "FROM scratch\n"})
	h.image("gather").HostOnly = true
	h.suite.KindCluster = "none"
	up, err := h.client().Up(t.Context(), UpInput{Suite: h.suite})
	if err != nil || len(up.Built) != 1 || len(up.Images) != 1 {
		t.Fatalf("%+v, %v", up, err)
	}
	ref, err := h.client().Ref(t.Context(), RefInput{Suite: h.suite})
	if err != nil || ref.From != UseLock || ref.Images[0].Image != up.Images[0].Image || h.names[ref.Images[0].Image] == "" {
		t.Errorf("%+v, %v, the engine has %v", ref, err, h.names)
	}
	for verb, run := range map[string]func() error{
		"load":   func() error { _, err := h.client().Load(t.Context(), LoadInput{Suite: h.suite}); return err },
		"tag":    func() error { _, err := h.client().Tag(t.Context(), TagInput{Suite: h.suite}); return err },
		"deploy": func() error { _, err := h.client().Deploy(t.Context(), DeployInput{Suite: h.suite}); return err },
		"verify": func() error { _, err := h.client().Verify(t.Context(), VerifyInput{Suite: h.suite}); return err },
	} {
		if err := run(); !as[*UsageError](err) {
			t.Errorf("%s: %v", verb, err)
		}
		says(t, run(), `["gather"]: hostOnly images go into no cluster`)
	}
	if _, err := h.client().Clean(t.Context(), CleanInput{Suite: h.suite, Scope: ScopeHost}); err != nil {
		t.Fatal(err)
	}
	if got := slices.DeleteFunc(sortedKeys(h.names), func(name string) bool { return name != up.Images[0].Image }); len(got) > 0 || len(h.lock().Images) > 0 {
		t.Errorf("the engine has %v, the lock %v", got, h.lock().Images)
	}
}

func TestImagesForTheHostAreLeftOutOfTheCluster(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := suite("suite", "datastorage", "gather")
	s.Images[1].HostOnly, s.Images[1].Build = true, &config.Build{}
	tagged, err := b.client().Tag(t.Context(), TagInput{Suite: s})
	if err != nil || len(tagged.Images) != 1 || tagged.Images[0].Name != "datastorage" {
		t.Fatalf("%+v, %v", tagged, err)
	}
	b.deployment("datastorage", tagged.Images[0].Image)
	status, err := b.client().Verify(t.Context(), VerifyInput{Suite: s})
	if err != nil || len(status.Images) != 1 {
		t.Errorf("%+v, %v", status, err)
	}
	ref, err := b.client().Ref(t.Context(), RefInput{Suite: s, From: UseCluster})
	if err != nil || len(ref.Images) != 1 {
		t.Errorf("%+v, %v", ref, err)
	}
}
