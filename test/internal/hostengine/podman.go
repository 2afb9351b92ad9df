package hostengine

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/apt"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
)

// InstallPodman installs podman where it is missing.
func (m Machine) InstallPodman(ctx context.Context) error {
	needs := []apt.Need{{
		Program: "podman",
		// netavark and aardvark-dns are only recommended by podman; kind's
		// nodes find each other by name through them.
		Packages: []string{"podman", "netavark", "aardvark-dns", "iptables", "ca-certificates"},
	}}
	if !m.Facts.SysResource {
		needs = append(needs, apt.Need{Program: "runc", Packages: []string{"runc"}})
	}
	return apt.Ensure(ctx, m.Facts, m.Log, needs...)
}

func (m Machine) podman(ctx context.Context) ([]Variable, error) {
	if err := m.InstallPodman(ctx); err != nil {
		return nil, err
	}
	if err := m.modulesFolder(); err != nil {
		return nil, err
	}
	var vars []Variable
	if !m.Facts.SysResource {
		file, err := m.podmanConfig(ctx)
		if err != nil {
			return nil, err
		}
		vars = append(vars, Variable{"CONTAINERS_CONF", file})
	}
	return vars, nil
}

// podmanConfig writes the configuration that replaces the machine's for the
// processes that are told of it.
func (m Machine) podmanConfig(ctx context.Context) (string, error) {
	unlock, err := statedir.Lock(ctx, m.State, "podman", m.Log)
	if err != nil {
		return "", err
	}
	defer unlock()
	file := filepath.Join(m.State, "containers.conf")
	want := containersConf(m.Facts.NoFile, m.Facts.NProc)
	if have, err := os.ReadFile(file); err == nil && string(have) == want {
		return file, nil
	}
	tmp := file + ".tmp"
	if err := os.WriteFile(tmp, []byte(want), 0o644); err != nil {
		return "", err
	}
	if err := os.Rename(tmp, file); err != nil {
		return "", err
	}
	return file, command.Cmd{Argv: []string{"podman", "info"}, Env: []string{"CONTAINERS_CONF=" + file}}.Run(ctx)
}

// containersConf keeps podman from raising limits, which needs
// CAP_SYS_RESOURCE, and picks runc, because crun refuses the mixed cgroup
// hierarchies that such machines often have.
func containersConf(noFile, nProc uint64) string {
	return fmt.Sprintf(`[containers]
default_ulimits = ["nofile=%d:%d", "nproc=%d:%d"]

[engine]
runtime = "runc"
`, min(noFile, 65536), min(noFile, 65536), min(nProc, 32768), min(nProc, 32768))
}

// modules is a folder that kind mounts into every node.
const modules = "/lib/modules"

// modulesFolder makes it where the kernel has no modules, as in most virtual
// machines of sandboxes: docker would make it, podman refuses to start the node.
func (m Machine) modulesFolder() error {
	if _, err := os.Stat(modules); err == nil || !m.Facts.Root {
		return nil
	}
	return os.MkdirAll(modules, 0o755)
}
