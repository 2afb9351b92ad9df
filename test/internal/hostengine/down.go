package hostengine

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/mounts"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// stopLimit is how long the daemon may take to end.
const stopLimit = 30 * time.Second

// Down removes what runs on the own Docker daemon and stops it; with purge its
// data goes, too. Without such a daemon it does nothing. Others are left alone.
func (m Machine) Down(ctx context.Context, purge bool) error {
	err := m.daemon().down(ctx, purge)
	for _, name := range NewDockers() {
		err = errors.Join(err, m.newDocker(name).down(ctx, purge))
	}
	if err != nil || !purge {
		return err
	}
	for _, name := range NewDockers() {
		err = errors.Join(err, mounts.RemoveAll(m.newPodman(name).dir), mounts.RemoveAll(m.debianOf(name).root()))
	}
	return err
}

func (d daemon) down(ctx context.Context, purge bool) error {
	if _, err := os.Stat(d.dir); errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	unlock, err := statedir.Lock(ctx, d.State, filepath.Base(d.dir), d.Log)
	if err != nil {
		return err
	}
	defer unlock()
	pid, err := d.running()
	if err != nil {
		return err
	}
	if pid != 0 {
		err := steps.Do(ctx, d.Log, "stopping the own Docker daemon", func(ctx context.Context) error { return d.stop(ctx, pid) })
		if err != nil {
			return err
		}
	}
	if !purge {
		return nil
	}
	return mounts.RemoveAll(d.dir)
}

// stop empties the daemon first: a container would come back with its next
// start, and the bridges of its networks stay in the kernel when it ends.
func (d daemon) stop(ctx context.Context, pid int) error {
	docker := []string{"docker", "--host", "unix://" + d.socket()}
	list, err := command.Output(ctx, append(docker[:3:3], "ps", "--all", "--format", "{{.Names}}")...)
	if err != nil {
		return err
	}
	if names := strings.Fields(list); len(names) > 0 {
		fmt.Fprintf(d.Log, "removing what still runs on it: %s\n", strings.Join(names, " "))
		if err := command.Run(ctx, append(append(docker[:3:3], "rm", "--force", "--volumes"), names...)...); err != nil {
			return err
		}
	}
	if err := command.Run(ctx, append(docker[:3:3], "network", "prune", "--force")...); err != nil {
		return err
	}
	if err := syscall.Kill(pid, syscall.SIGTERM); err != nil {
		return fmt.Errorf("stop dockerd (process %d): %w", pid, err)
	}
	ctx, cancel := context.WithTimeout(ctx, stopLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		still, err := d.running()
		if err != nil || still == 0 {
			return err
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("dockerd (process %d) does not end: %w", pid, context.Cause(ctx))
		case <-tick.C:
		}
	}
}

// running is the process ID of our daemon, or 0. A number that now belongs to
// another process, as after a reboot, is not taken for it.
func (d daemon) running() (int, error) {
	text, err := os.ReadFile(d.file("dockerd.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, err
	}
	pid, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, nil
	}
	argv, err := os.ReadFile(filepath.Join("/proc", strconv.Itoa(pid), "cmdline"))
	if err != nil {
		return 0, nil
	}
	for word := range bytes.SplitSeq(argv, []byte{0}) {
		if string(word) == d.file("dockerd.pid") {
			return pid, nil
		}
	}
	return 0, nil
}

// forgetDead removes the note of a daemon that is gone: dockerd would believe
// any process of that number to be itself.
func (d daemon) forgetDead() error {
	pid, err := d.running()
	if err != nil || pid != 0 {
		return err
	}
	err = os.Remove(d.file("dockerd.pid"))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}
