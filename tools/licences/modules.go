package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
)

// systems that the program is released for. Which modules are linked depends on the system.
var systems = []string{"linux", "darwin", "windows"}

// module is a module with the folders of its packages that are linked, and of those above
// them: a package that was copied from elsewhere has its licence beside it.
type module struct {
	Path, Version string
	folders       []string
}

type listed struct {
	Dir    string
	Module *struct {
		Path, Version, Dir string
		Main               bool
		Replace            *struct{ Path, Version, Dir string }
	}
}

// modules are those that are linked into a program, besides its own, which is in folder.
func modules(ctx context.Context, folder, program string) ([]module, error) {
	found := map[string]*module{}
	for _, system := range systems {
		list := exec.CommandContext(ctx, "go", "list", "-deps", "-json=Dir,Module", program)
		list.Dir, list.Env, list.Stderr = folder, append(os.Environ(), "CGO_ENABLED=0", "GOOS="+system), os.Stderr
		out, err := list.Output()
		if err != nil {
			return nil, fmt.Errorf("go list for %s: %w", system, err)
		}
		if err := collect(string(out), found); err != nil {
			return nil, err
		}
	}
	var all []module
	for _, m := range found {
		slices.Sort(m.folders)
		m.folders = slices.Compact(m.folders)
		all = append(all, *m)
	}
	slices.SortFunc(all, func(a, b module) int { return strings.Compare(a.Path, b.Path) })
	return all, nil
}

func collect(out string, into map[string]*module) error {
	for decoder := json.NewDecoder(strings.NewReader(out)); ; {
		var p listed
		if err := decoder.Decode(&p); errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		// A package of the standard library has no module. Its licence is Go's.
		if p.Module == nil || p.Module.Main {
			continue
		}
		m, root := into[p.Module.Path], p.Module.Dir
		if m == nil {
			m = &module{Path: p.Module.Path, Version: p.Module.Version}
			into[m.Path] = m
		}
		if p.Module.Replace != nil {
			root = p.Module.Replace.Dir
		}
		for folder := p.Dir; ; folder = filepath.Dir(folder) {
			m.folders = append(m.folders, folder)
			if folder == root || folder == filepath.Dir(folder) {
				break
			}
		}
	}
}
