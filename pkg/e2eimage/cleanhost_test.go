package e2eimage

import (
	"testing"
)

func TestCleanLeavesTheSourcesName(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM scratch\n"})
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	image := h.lock().Images["app"].Image
	if _, err := h.client().Clean(t.Context(), CleanInput{Suite: h.suite, Scope: ScopeHost}); err != nil {
		t.Fatal(err)
	}
	if h.names[image] != "" || h.names["localhost/app:dev"] == "" {
		t.Errorf("the engine has %v", h.names)
	}
}
