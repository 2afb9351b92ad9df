package hostengine

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

const (
	// readyLimit is how long a daemon may take to start.
	readyLimit = time.Minute
	// socketLimit is what the kernel allows for a socket's path, and
	// longestSocket the longest that the daemon makes below its folder.
	socketLimit   = 107
	longestSocket = "/exec/containerd/containerd.sock.ttrpc"
	wrapperSource = "github.com/e2eimage/kubectl-e2eimage/test/internal/runcwrap"
)

// daemon is a Docker daemon of our own, with everything that it needs in one
// folder. It outlives the process that starts it.
type daemon struct {
	Machine
	dir string
	// tree is the root of another Debian whose dockerd it is, "" for this machine's.
	tree string
	// program is its dockerd, "" for the one on the PATH.
	program string
	// config is the text of its daemon.json: the machine's own is not for this daemon.
	config string
}

func (m Machine) daemon() daemon {
	return daemon{Machine: m, dir: filepath.Join(m.State, "docker"), config: "{}"}
}

func (d daemon) file(name string) string { return filepath.Join(d.dir, name) }
func (d daemon) socket() string          { return d.file("docker.sock") }

// ensure starts the daemon unless it runs.
func (d daemon) ensure(ctx context.Context) error {
	if len(d.dir)+len(longestSocket) > socketLimit {
		return fmt.Errorf("%s is too long a path for sockets: set %s to a shorter one", d.dir, statedir.Variable)
	}
	if ping(ctx, d.socket()) == nil {
		return nil
	}
	unlock, err := statedir.Lock(ctx, d.State, filepath.Base(d.dir), d.Log)
	if err != nil {
		return err
	}
	defer unlock()
	if ping(ctx, d.socket()) == nil {
		return nil
	}
	return steps.Do(ctx, d.Log, "starting an own Docker daemon", d.start)
}

func (d daemon) start(ctx context.Context) error {
	if err := os.MkdirAll(d.dir, 0o711); err != nil {
		return err
	}
	if !d.Facts.SysResource {
		err := command.Cmd{
			Argv: []string{"go", "build", "-trimpath", "-o", d.file("runc"), wrapperSource},
			Env:  []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"},
		}.Run(ctx)
		if err != nil {
			return err
		}
	}
	if err := d.forgetDead(); err != nil {
		return err
	}
	if err := os.WriteFile(d.file("daemon.json"), []byte(d.config+"\n"), 0o644); err != nil {
		return err
	}
	log, err := os.OpenFile(d.file("dockerd.log"), os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o644)
	if err != nil {
		return err
	}
	defer log.Close()
	argv := d.argv()
	// No context: the daemon has to go on when this process has ended, and
	// must not get the signals of its terminal.
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Stdout, cmd.Stderr = log, log
	cmd.Dir = "/"
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("dockerd: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	if err := d.ready(ctx, ended); err != nil {
		return fmt.Errorf("%w: see %s", err, d.file("dockerd.log"))
	}
	return nil
}

// argv has no bridge by default, because that would be the machine's docker0;
// kind makes a network of its own.
func (d daemon) argv() []string {
	var argv []string
	if d.tree != "" {
		argv = inTree(d.tree, d.dir)
	}
	argv = append(argv,
		cmp.Or(d.program, "dockerd"),
		"--config-file", d.file("daemon.json"),
		"--host", "unix://"+d.socket(),
		"--data-root", d.file("data"),
		"--exec-root", d.file("exec"),
		"--pidfile", d.file("dockerd.pid"),
		"--containerd-namespace", "e2eimage",
		"--containerd-plugins-namespace", "e2eimage-plugins",
		"--bridge", "none",
	)
	if d.tree != "" {
		// Nodes need nothing from outside, and another daemon's rules are in the way.
		argv = append(argv, "--iptables=false")
	}
	if !d.Facts.SysResource {
		argv = append(argv, "--add-runtime", "e2eimage="+d.file("runc"), "--default-runtime", "e2eimage")
	}
	return argv
}

func (d daemon) ready(ctx context.Context, ended <-chan error) error {
	ctx, cancel := context.WithTimeout(ctx, readyLimit)
	defer cancel()
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for {
		err := ping(ctx, d.socket())
		if err == nil {
			return nil
		}
		select {
		case err := <-ended:
			return fmt.Errorf("dockerd ended at once: %w", errors.Join(err, errors.New("not ready")))
		case <-ctx.Done():
			return fmt.Errorf("dockerd does not answer: %w", err)
		case <-tick.C:
		}
	}
}

// ping asks a daemon whether it is ready to serve.
func ping(ctx context.Context, socket string) error {
	client := &http.Client{Transport: &http.Transport{
		DisableKeepAlives: true,
		DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
			var dialer net.Dialer
			return dialer.DialContext(ctx, "unix", socket)
		},
	}}
	ctx, cancel := context.WithTimeout(ctx, answerLimit)
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://docker/_ping", nil)
	if err != nil {
		return err
	}
	response, err := client.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("ping of %s: %s", socket, response.Status)
	}
	return nil
}
