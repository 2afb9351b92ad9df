// Package statedir says where the test cluster keeps what outlives a run (built
// binaries, file systems, the state of an own Docker daemon) and serialises the
// processes that work on it. Nothing of it is ever inside the repository.
package statedir

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
)

// Variable overrides the folder.
const Variable = "E2EIMAGE_TEST_CACHE"

// Dir is the state folder; it exists when Dir returns.
func Dir() (string, error) {
	dir, err := path(os.Getenv, os.UserCacheDir, os.Geteuid())
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("state folder of the test cluster (set %s to another): %w", Variable, err)
	}
	return dir, nil
}

func path(getenv func(string) string, userCache func() (string, error), uid int) (string, error) {
	if dir := getenv(Variable); dir != "" {
		if !filepath.IsAbs(dir) {
			return "", fmt.Errorf("%s=%q is not an absolute path", Variable, dir)
		}
		return filepath.Clean(dir), nil
	}
	cache, err := userCache()
	switch {
	case err == nil:
		return filepath.Join(cache, "e2eimage-test"), nil
	case uid == 0:
		// Services and some CI runners have no HOME.
		return "/var/cache/e2eimage-test", nil
	}
	return "", errors.Join(fmt.Errorf("no folder to keep state in: set %s", Variable), err)
}
