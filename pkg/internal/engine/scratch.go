package engine

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
)

// scratch is a folder of a process, and names that it gives images meanwhile. The process
// holds its lock: what a killed one left is told by that, and the next one takes it away.
type scratch struct {
	dir  string
	held *flock.Flock
}

const (
	scratchPrefix = "e2eimage-scratch-"
	// names is the file in the folder with the names: an engine and a name on each line.
	names = "names"
	// lateBuild is how long an engine may go on with a build whose client was killed.
	lateBuild = 24 * time.Hour
)

// newScratch makes a folder, and takes away what killed processes left.
func newScratch(ctx context.Context, runner hostexec.Runner) (*scratch, error) {
	sweep(ctx, runner)
	for {
		dir, err := os.MkdirTemp("", scratchPrefix)
		if err != nil {
			return nil, err
		}
		s := &scratch{dir: dir, held: hold(dir)}
		if ours, err := s.held.TryLock(); ours {
			// Unless another process took it away, which saw it before it was held.
			if _, err := os.Stat(dir); err == nil {
				return s, nil
			}
		} else if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, errors.Join(err, os.RemoveAll(dir))
		}
		_ = s.held.Close()
	}
}

// note writes a name down before the engine gets it.
func (s *scratch) note(engine, name string) error {
	file, err := os.OpenFile(filepath.Join(s.dir, names), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(file, engine, name)
	return errors.Join(err, file.Close())
}

// closeUnless takes the folder away unless a name stayed: then the next process tries
// again, once this one has ended.
func (s *scratch) closeUnless(stays error) error {
	if stays != nil {
		return errors.Join(stays, s.held.Close())
	}
	return s.Close()
}

// unname takes a name off an engine, which may not have it. An engine that this process
// does not find never got it.
func unname(ctx context.Context, runner hostexec.Runner, engine, name string) error {
	err := runner.Run(ctx, hostexec.Command{Argv: []string{engine, "image", "rm", "--", name}, Stdout: io.Discard})
	var failed *hostexec.CommandError
	if errors.Is(err, exec.ErrNotFound) || errors.As(err, &failed) && failed.ExitCode() > 0 && isUnknown(failed.Stderr) {
		return nil
	}
	return err
}

// sweep takes away what processes of this user left that were killed.
func sweep(ctx context.Context, runner hostexec.Runner) {
	dirs, _ := filepath.Glob(filepath.Join(os.TempDir(), scratchPrefix+"*")) // its pattern is right
	for _, dir := range dirs {
		info, err := os.Lstat(dir)
		if err != nil || !isOurs(info) {
			continue
		}
		s := &scratch{dir: dir, held: hold(dir)}
		if abandoned, err := s.held.TryLock(); err != nil || !abandoned || !s.unnameAll(ctx, runner, info.ModTime()) {
			_ = s.held.Close()
			continue
		}
		_ = s.Close()
	}
}

// unnameAll takes the names off the engines, and tells whether there will be none any more.
func (s *scratch) unnameAll(ctx context.Context, runner hostexec.Runner, made time.Time) bool {
	text, err := os.ReadFile(filepath.Join(s.dir, names))
	if err != nil {
		return errors.Is(err, os.ErrNotExist)
	}
	for line := range strings.Lines(string(text)) {
		engine, name, _ := strings.Cut(strings.TrimSpace(line), " ")
		if !slices.Contains(engines, engine) || !isTemporary(name) {
			continue
		}
		removing, cancel := outlive.WithGracePeriod(ctx, untagLimit)
		err := runner.Run(removing, hostexec.Command{Argv: []string{engine, "image", "rm", "--", name}, Stdout: io.Discard})
		cancel()
		if err != nil && time.Since(made) < lateBuild {
			// The engine does not answer, or its build has not ended yet.
			return false
		}
	}
	return true
}

// temporaryBuild is what a build by docker calls its image at first.
const temporaryBuild = "localhost/e2eimage-build:"

// isTemporary tells whether a name is one that this package gives for a moment.
func isTemporary(name string) bool {
	return strings.HasPrefix(name, temporaryBuild) ||
		strings.HasPrefix(name, "127.0.0.1:") && strings.Contains(name, "/e2eimage:")
}
