//go:build unix

package hostexec

import (
	"cmp"
	"context"
	"os"
	"os/exec"
	"syscall"
)

// group is the process group of a command.
type group struct{ untie func() }

// newGroup prepares a command that does not run yet: it gets a group, and all of that
// gets SIGTERM when the command is cancelled.
func newGroup(ctx context.Context, process *exec.Cmd, tied bool) *group {
	id, untie := 0, func() {} // 0 is for one of its own
	if tied {
		id, untie = tie(ctx, process.WaitDelay)
	}
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pgid: id}
	process.Cancel = func() error { return syscall.Kill(-cmp.Or(id, process.Process.Pid), syscall.SIGTERM) }
	return &group{untie: untie}
}

// started does nothing: the process has been in its group from its first moment.
func (*group) started(*os.Process) {}

// close is called when the command has ended.
func (g *group) close() { g.untie() }
