// Command runcwrap is runc for machines whose root lacks CAP_SYS_RESOURCE: the
// Docker daemon asks for every capability in a privileged container, and runc
// fails on the one that it cannot give. It takes that one out of the bundle or
// of the process that is executed, and becomes runc. It changes nothing else.
package main

import (
	"fmt"
	"os"
	"os/exec"
	"syscall"
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, "runcwrap:", err)
		os.Exit(1)
	}
}

func run(args []string) error {
	for _, file := range specs(args) {
		if err := rewrite(file); err != nil {
			return err
		}
	}
	runc, err := exec.LookPath("runc")
	if err != nil {
		return err
	}
	return syscall.Exec(runc, append([]string{"runc"}, args...), os.Environ())
}
