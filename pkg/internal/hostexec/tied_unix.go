//go:build unix

package hostexec

import (
	"context"
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"time"
)

// ender leads a process group and waits until nobody has the other end of its standard
// input any more; then it ends the group, and itself. A line says that there is nothing
// left to end.
const ender = `trap "" TERM; read -r line || { kill -TERM 0; sleep "$1"; kill -KILL 0; }`

// tie makes a process group that ends with this process, however that ends: a test
// binary that runs into go test -timeout, or one that is killed, cannot end anything
// itself. A parent-death signal of the kernel would reach one process of the group, and
// is Linux's. Where there is no shell the group is 0, for one that is not tied. untie is
// called when nothing of the group is to be ended any more.
func tie(ctx context.Context, grace time.Duration) (group int, untie func()) {
	reader, writer, err := os.Pipe()
	if err != nil {
		return 0, func() {}
	}
	defer func() { _ = reader.Close() }()
	// Not the end of ctx, which leaves the group its grace, but ours is what counts.
	process := exec.CommandContext(context.WithoutCancel(ctx), "/bin/sh", "-c", ender, "e2eimage",
		strconv.Itoa(max(1, int(grace.Seconds()))))
	process.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	process.Stdin = reader
	if err := process.Start(); err != nil {
		_ = writer.Close()
		return 0, func() {}
	}
	return process.Process.Pid, func() {
		_, _ = writer.WriteString("\n")
		_ = writer.Close()
		_ = process.Wait()
	}
}
