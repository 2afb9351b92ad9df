package faults

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"slices"
	"syscall"
)

// Engine is an engine's CLI with faults: it carries out one command line. Nodes
// cannot be reached past it, since it does not tell their processes. It returns
// the exit code.
func Engine(ctx context.Context, args []string) (int, error) {
	real := os.Getenv(RealVariable)
	var rules Rules
	if err := json.Unmarshal([]byte(os.Getenv(RulesVariable)), &rules); err != nil {
		return 1, fmt.Errorf("%s: %w", RulesVariable, err)
	}
	switch {
	case args[0] == "ps":
		return withoutProcesses(ctx, real, args)
	case args[0] == "inspect":
		return 1, fmt.Errorf("the nodes' processes are not told")
	case args[0] == "exec" && slices.Contains(args, "perl"):
		busy, err := os.OpenFile(os.Getenv(BusyVariable), os.O_RDWR|os.O_CREATE, 0o600)
		if err == nil {
			defer busy.Close()
			if err := syscall.Flock(int(busy.Fd()), syscall.LOCK_SH); err != nil {
				return 1, err
			}
		}
		node := args[slices.Index(args, "timeout")-1]
		if err := rules.apply(Connect, node, false, os.Getppid()); err != nil {
			return 1, err
		}
		return 0, proxy(ctx, append([]string{real}, args...), node, rules, os.Getppid())
	}
	return 1, syscall.Exec(real, append([]string{real}, args...), os.Environ())
}

// withoutProcesses takes the PIDs out of what podman lists.
func withoutProcesses(ctx context.Context, real string, args []string) (int, error) {
	command := exec.CommandContext(ctx, real, args...)
	command.Stderr = os.Stderr
	out, err := command.Output()
	if err != nil {
		return 1, err
	}
	var listed []map[string]any
	if json.Unmarshal(out, &listed) == nil {
		for _, container := range listed {
			delete(container, "Pid")
		}
		if out, err = json.Marshal(listed); err != nil {
			return 1, err
		}
	}
	_, err = io.Copy(os.Stdout, bytes.NewReader(out))
	return 0, err
}
