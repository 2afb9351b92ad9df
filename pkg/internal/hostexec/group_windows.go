package hostexec

import (
	"context"
	"os"
	"os/exec"
	"syscall"
	"unsafe"

	"golang.org/x/sys/windows"
)

// group is the console's process group of a command, which a Ctrl-C in the terminal does
// not reach, and, for a tied command, a job that ends with this process.
type group struct {
	job windows.Handle
	// cancelled is set before the command's Wait returns.
	cancelled bool
}

// newGroup prepares a command that does not run yet. Where it is cancelled, its group gets
// a Ctrl-Break, which docker and podman take as they take SIGTERM elsewhere.
func newGroup(_ context.Context, process *exec.Cmd, tied bool) *group {
	g := &group{}
	if tied {
		g.job = newJob()
	}
	process.SysProcAttr = &syscall.SysProcAttr{CreationFlags: windows.CREATE_NEW_PROCESS_GROUP}
	process.Cancel = func() error {
		g.cancelled = true
		err := windows.GenerateConsoleCtrlEvent(windows.CTRL_BREAK_EVENT, uint32(process.Process.Pid))
		if err != nil {
			// Without a console there is no gentle way.
			return process.Process.Kill()
		}
		return nil
	}
	return g
}

// newJob makes a job whose processes end when this process has ended, however it did: its
// handle is the only one. It is 0 where Windows has none to give, and the command is not
// tied then.
func newJob() windows.Handle {
	job, err := windows.CreateJobObject(nil, nil)
	if err != nil {
		return 0
	}
	if err := limit(job, windows.JOB_OBJECT_LIMIT_KILL_ON_JOB_CLOSE); err != nil {
		_ = windows.CloseHandle(job)
		return 0
	}
	return job
}

func limit(job windows.Handle, flags uint32) error {
	limits := windows.JOBOBJECT_EXTENDED_LIMIT_INFORMATION{}
	limits.BasicLimitInformation.LimitFlags = flags
	_, err := windows.SetInformationJobObject(job, windows.JobObjectExtendedLimitInformation,
		uintptr(unsafe.Pointer(&limits)), uint32(unsafe.Sizeof(limits)))
	return err
}

// started puts the process into the job. What it starts after that is in the job, too.
func (g *group) started(process *os.Process) {
	if g.job == 0 {
		return
	}
	// One that has ended already needs no job.
	_ = process.WithHandle(func(handle uintptr) { _ = windows.AssignProcessToJobObject(g.job, windows.Handle(handle)) })
}

// close is called when the command has ended. What a cancelled one left ends with the job;
// what another left, such as a build server, goes on.
func (g *group) close() {
	if g.job == 0 {
		return
	}
	if !g.cancelled {
		_ = limit(g.job, 0)
	}
	_ = windows.CloseHandle(g.job)
}
