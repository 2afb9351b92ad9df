package mounts

import (
	"slices"
	"testing"
)

func TestBelowFindsTheInnermostFirst(t *testing.T) {
	table := `21 26 0:20 / /proc rw - proc proc rw
30 26 0:5 / /x/root/proc rw - proc proc rw
31 30 0:5 / /x/root/proc/sys/fs/binfmt_misc rw - binfmt_misc none rw
32 26 0:5 / /x/rootother/proc rw - proc proc rw
33 26 0:5 / /x/root/with\040space rw - tmpfs none rw
`
	got := below(table, "/x/root")
	want := []string{"/x/root/with space", "/x/root/proc/sys/fs/binfmt_misc", "/x/root/proc"}
	if !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}
