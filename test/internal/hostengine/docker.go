package hostengine

import (
	"context"
	"fmt"
	"net"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/apt"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
)

// answerLimit bounds the question whether a daemon is there: one that hangs is
// as bad as none.
const answerLimit = 10 * time.Second

// docker uses the machine's daemon where that can run kind's nodes, else one of
// its own.
func (m Machine) docker(ctx context.Context) ([]Variable, error) {
	for _, name := range NewDockers() {
		if os.Getenv("DOCKER_HOST") == "unix://"+m.newDocker(name).socket() {
			return m.NewDocker(ctx, name)
		}
	}
	if err := apt.Ensure(ctx, m.Facts, m.Log, apt.Need{Program: "docker", Packages: dockerPackages()}); err != nil {
		return nil, err
	}
	why := m.unusable(ctx)
	if why == nil {
		return nil, nil
	}
	if !m.Facts.Root {
		return nil, fmt.Errorf("start the Docker daemon and join its group, or run as root: %w", why)
	}
	err := apt.Ensure(ctx, m.Facts, m.Log,
		apt.Need{Program: "dockerd", Packages: dockerPackages()},
		apt.Need{Program: "runc", Packages: []string{"runc"}})
	if err != nil {
		return nil, err
	}
	d := m.daemon()
	if err := d.ensure(ctx); err != nil {
		return nil, fmt.Errorf("start an own Docker daemon, because of the machine's: %w: %w", why, err)
	}
	return []Variable{{"DOCKER_HOST", "unix://" + d.socket()}}, nil
}

func dockerPackages() []string { return []string{"docker.io", "iptables", "ca-certificates"} }

// unusable says why the daemon that the docker command talks to cannot run
// kind's nodes, or nil.
func (m Machine) unusable(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	if err := command.Run(ctx, "docker", "version", "--format", "{{.Server.Version}}"); err != nil {
		return err
	}
	if m.Facts.SysResource {
		return nil
	}
	endpoint, err := command.Output(ctx, "docker", "context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
	if err != nil {
		return err
	}
	socket, local := strings.CutPrefix(strings.TrimSpace(endpoint), "unix://")
	if !local {
		return nil
	}
	return privileged(ctx, socket)
}

// privileged asks whether the process behind a socket may have every
// capability: this one may not, but the daemon may live outside of its sandbox.
func privileged(ctx context.Context, socket string) error {
	pid, err := peer(ctx, socket)
	if err != nil {
		return err
	}
	if pid == 0 {
		// Outside of our process namespace, so outside of the sandbox.
		return nil
	}
	able, err := host.HasCapability(strconv.Itoa(pid), host.CapSysResource)
	if err != nil {
		return err
	}
	if !able {
		return fmt.Errorf("the Docker daemon at %s lacks CAP_SYS_RESOURCE, which privileged containers ask for", socket)
	}
	return nil
}

func peer(ctx context.Context, socket string) (int, error) {
	var dialer net.Dialer
	conn, err := dialer.DialContext(ctx, "unix", socket)
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := conn.(*net.UnixConn).SyscallConn()
	if err != nil {
		return 0, err
	}
	var cred *syscall.Ucred
	var credErr error
	err = raw.Control(func(fd uintptr) {
		cred, credErr = syscall.GetsockoptUcred(int(fd), syscall.SOL_SOCKET, syscall.SO_PEERCRED)
	})
	if err != nil {
		return 0, err
	}
	if credErr != nil {
		return 0, fmt.Errorf("ask for the process behind %s: %w", socket, credErr)
	}
	return int(cred.Pid), nil
}
