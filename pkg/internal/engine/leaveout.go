package engine

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
)

// LeaveOut is what a build's context is sent without, on top of what its ignore file says.
type LeaveOut struct {
	// IgnoreFile is the one that the engine would read, "" for none.
	IgnoreFile string
	// Pattern as in an ignore file.
	Pattern string
	// Dockerfile that is built. Docker needs it: it looks for an ignore file beside it.
	Dockerfile string
}

// leavingOut is the build with an ignore file of its own, which stands in dir.
func (s BuildSpec) leavingOut(dir string) (BuildSpec, error) {
	if s.LeaveOut == nil {
		return s, nil
	}
	var patterns []byte
	if s.LeaveOut.IgnoreFile != "" {
		var err error
		if patterns, err = os.ReadFile(s.LeaveOut.IgnoreFile); err != nil {
			return s, err
		}
	}
	patterns = fmt.Appendf(patterns, "\n%s\n", s.LeaveOut.Pattern)
	// Of a flag that is given twice, engines take the last.
	s.Flags = slices.Clone(s.Flags)
	if s.Engine == "podman" {
		path := filepath.Join(dir, "ignore")
		s.Flags = append(s.Flags, "--ignorefile", path)
		return s, os.WriteFile(path, patterns, 0o600)
	}
	text, err := os.ReadFile(s.LeaveOut.Dockerfile)
	if err != nil {
		return s, err
	}
	path := filepath.Join(dir, "Dockerfile")
	if err := os.WriteFile(path, text, 0o600); err != nil {
		return s, err
	}
	s.File, s.Flags = "", append(s.Flags, "--file", path)
	return s, os.WriteFile(path+".dockerignore", patterns, 0o600)
}
