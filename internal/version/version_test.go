package version

import (
	"runtime"
	"runtime/debug"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const commit = "01499e54ea1c2b7ffa0b2bc0a2ad0b1f4b3ac0f1"

func checkout(version, modified string) *debug.BuildInfo {
	return &debug.BuildInfo{
		Main: debug.Module{Path: module, Version: version},
		Settings: []debug.BuildSetting{
			{Key: "vcs.revision", Value: commit}, {Key: "vcs.time", Value: "2026-11-28T17:00:00Z"}, {Key: "vcs.modified", Value: modified},
		},
	}
}

func used(version *debug.Module) *debug.BuildInfo {
	return &debug.BuildInfo{
		Main:     debug.Module{Path: "example.com/suite", Version: "v9.9.9"},
		Deps:     []*debug.Module{{Path: "example.com/other", Version: "v1.0.0"}, version},
		Settings: []debug.BuildSetting{{Key: "vcs.revision", Value: "of another repository"}},
	}
}

func TestTheVersionIsTheOneThatTheGoCommandNoted(t *testing.T) {
	t.Parallel()
	const platform = runtime.GOOS + "/" + runtime.GOARCH
	for name, test := range map[string]struct {
		build *debug.BuildInfo
		want  Info
		agent string
	}{
		"go install of a release": {
			&debug.BuildInfo{Main: debug.Module{Path: module, Version: "v0.1.0"}},
			Info{Version: "v0.1.0"},
			"kubectl-e2eimage/v0.1.0 (" + platform + ")",
		},
		"a release's build, at its tag": {
			checkout("v0.1.0", "false"),
			Info{Version: "v0.1.0", Commit: commit, TreeState: "clean", CommitDate: "2026-11-28T17:00:00Z"},
			"kubectl-e2eimage/v0.1.0 (" + platform + ") git/01499e54ea1c",
		},
		"make build, with changes": {
			checkout("v0.1.1-0.20261128170000-01499e54ea1c+dirty", "true"),
			Info{Version: "v0.1.1-0.20261128170000-01499e54ea1c+dirty", Commit: commit, TreeState: "dirty", CommitDate: "2026-11-28T17:00:00Z"},
			"kubectl-e2eimage/v0.1.1-0.20261128170000-01499e54ea1c+dirty (" + platform + ") git/01499e54ea1c",
		},
		"a build without Git": {
			&debug.BuildInfo{Main: debug.Module{Path: module, Version: "(devel)"}},
			Info{Version: "devel"},
			"kubectl-e2eimage/devel (" + platform + ")",
		},
		"the library in another program": {
			used(&debug.Module{Path: module, Version: "v0.1.0"}),
			Info{Version: "v0.1.0"},
			"kubectl-e2eimage/v0.1.0 (" + platform + ")",
		},
		"the library replaced by a fork": {
			used(&debug.Module{Path: module, Version: "v0.1.0", Replace: &debug.Module{Path: "example.com/fork", Version: "v0.1.1"}}),
			Info{Version: "v0.1.1"},
			"kubectl-e2eimage/v0.1.1 (" + platform + ")",
		},
		"the library replaced by a folder": {
			used(&debug.Module{Path: module, Version: "v0.1.0", Replace: &debug.Module{Path: "../fork"}}),
			Info{Version: "devel"},
			"kubectl-e2eimage/devel (" + platform + ")",
		},
		"nothing noted": {
			&debug.BuildInfo{},
			Info{Version: "devel"},
			"kubectl-e2eimage/devel (" + platform + ")",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := read(test.build)
			test.want.GoVersion, test.want.Compiler, test.want.Platform = runtime.Version(), runtime.Compiler, platform
			if diff := cmp.Diff(test.want, got); diff != "" {
				t.Error(diff)
			}
			if agent := got.UserAgent(); agent != test.agent {
				t.Errorf("User-Agent %q, want %q", agent, test.agent)
			}
		})
	}
}

func TestATestOfThisModuleKnowsItsVersion(t *testing.T) {
	t.Parallel()
	if line := Read().String(); !strings.HasPrefix(line, "kubectl-e2eimage ") || strings.Contains(line, "(devel)") {
		t.Error(line)
	}
}
