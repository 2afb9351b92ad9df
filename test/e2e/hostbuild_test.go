package e2e

import (
	"os/exec"
	"path/filepath"
	"slices"
	"testing"
)

// buildTries bounds how often a build past the plugin is begun: for their caches, podman looks
// at the layers of all images and docker without BuildKit at images, and they fail at one that
// another test removes just then.
const buildTries = 3

// buildOnHost builds a folder with the suite's engine, past the plugin.
func buildOnHost(t *testing.T, ref, dir string) {
	t.Helper()
	var out []byte
	var err error
	for range buildTries {
		command := exec.CommandContext(t.Context(), suite.provider, "build", "-q", "-t", ref, filepath.Base(dir))
		command.Dir = filepath.Dir(dir)
		if out, err = command.CombinedOutput(); err == nil {
			return
		}
	}
	t.Fatalf("%s is not built: %v: %s", ref, err, out)
}

// buildCode builds the folder code as the user's source, with the user's engine.
func (u *user) buildCode(flags ...string) {
	u.t.Helper()
	argv := slices.Concat([]string{u.engine, "build", "--quiet", "--tag", u.source()}, flags, []string{"code"})
	var result outcome
	for range buildTries {
		if result = u.try(u.t.Context(), argv...); result.code == 0 {
			return
		}
	}
	u.t.Errorf("%v: exit %d: %s", argv, result.code, result.stderr)
}

// buildScript is a build command of the user's own: it builds the folder code as its argument.
func buildScript() string {
	build := suite.provider + ` build -q -t "$1" code`
	return "set -e\necho building\n" + build + " || " + build + " || " + build + "\n"
}
