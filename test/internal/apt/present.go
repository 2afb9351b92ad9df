package apt

import (
	"os"
	"os/exec"
)

func (n Need) name() string {
	if n.File != "" {
		return n.File
	}
	return n.Program
}

func present(n Need) bool {
	if n.File != "" {
		_, err := os.Stat(n.File)
		return err == nil
	}
	_, err := exec.LookPath(n.Program)
	return err == nil
}
