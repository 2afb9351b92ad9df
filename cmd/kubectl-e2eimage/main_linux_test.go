package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// asCommand makes this test's program the command itself.
const asCommand = "E2EIMAGE_TEST_AS_COMMAND"

func TestMain(m *testing.M) {
	if os.Getenv(asCommand) != "" {
		os.Exit(run())
	}
	os.Exit(m.Run())
}

// command is a command line in a folder with a lock, so that no cluster is needed.
func command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	dir := t.TempDir()
	for name, text := range map[string]string{
		"e2eimage.yaml": "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nconsumer: suite\nimages:\n- name: datastorage\n  source: localhost/datastorage:dev\n",
		"kubeconfig":    "apiVersion: v1\nkind: Config\n",
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), program, args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), asCommand+"=1", "KUBECONFIG="+filepath.Join(dir, "kubeconfig"), "TERM=xterm")
	return cmd
}

// screen keeps what is written to it; it can be looked at meanwhile.
type screen struct {
	mu   sync.Mutex
	text bytes.Buffer
}

func (s *screen) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *screen) String() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.String()
}

// terminal opens a pseudo terminal: what a user types goes to keyboard.
func terminal(t *testing.T) (keyboard, tty *os.File) {
	t.Helper()
	keyboard, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = keyboard.Close() })
	if err := unix.IoctlSetPointerInt(int(keyboard.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(keyboard.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	tty, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = tty.Close() })
	return keyboard, tty
}

// soon is how long a command may go on after it was interrupted: a second, and what a
// busy machine needs.
const soon = 5 * time.Second

// ends waits for the command and returns its exit code.
func ends(t *testing.T, cmd *exec.Cmd, within time.Duration) int {
	t.Helper()
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	select {
	case err := <-ended:
		var exit *exec.ExitError
		if err != nil && !errors.As(err, &exit) {
			t.Fatal(err)
		}
		return cmd.ProcessState.ExitCode()
	case <-time.After(within):
		_ = cmd.Process.Kill()
		<-ended
		t.Fatalf("it goes on after %s", within)
		return -1
	}
}

func TestCtrlCIsHeardWhileATerminalIsRead(t *testing.T) {
	t.Parallel()
	const says = "reading manifests from standard input; end with Ctrl-D"
	for _, line := range []string{"render", "render -f -", "deploy -f -", "up -f -"} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			keyboard, tty := terminal(t)
			var shown screen
			go func() { _, _ = io.Copy(&shown, keyboard) }() // ends with the terminal
			cmd := command(t, strings.Fields(line)...)
			cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
			cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			awaits(t, &shown, says)
			if _, err := keyboard.WriteString("\x03"); err != nil {
				t.Fatal(err)
			}
			if code := ends(t, cmd, soon); code != 130 {
				t.Errorf("exit code %d: %s", code, shown.String())
			}
			awaits(t, &shown, "stopped by SIGINT")
			if got := strings.Count(shown.String(), says); got != 1 {
				t.Errorf("it says %d times what it reads: %s", got, shown.String())
			}
		})
	}
}

// awaits waits until a text is shown.
func awaits(t *testing.T, shown *screen, text string) {
	t.Helper()
	for limit := time.Now().Add(time.Minute); !strings.Contains(shown.String(), text); {
		if time.Now().After(limit) {
			t.Fatalf("it does not say %q: %s", text, shown.String())
		}
		// What another process writes can only be looked at; the limit above ends this.
		time.Sleep(10 * time.Millisecond)
	}
}

func TestCtrlDEndsWhatATerminalIsRead(t *testing.T) {
	t.Parallel()
	keyboard, tty := terminal(t)
	var shown screen
	go func() { _, _ = io.Copy(&shown, keyboard) }() // ends with the terminal
	cmd := command(t, "render")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = tty, tty, tty
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	awaits(t, &shown, "end with Ctrl-D")
	if _, err := keyboard.WriteString("kind: Service\n\x04"); err != nil {
		t.Fatal(err)
	}
	if code := ends(t, cmd, time.Minute); code == 130 {
		t.Errorf("exit code %d: %s", code, shown.String())
	}
}

func TestAnArchiveIsNotReadFromATerminal(t *testing.T) {
	t.Parallel()
	_, tty := terminal(t)
	var said bytes.Buffer
	cmd := command(t, "load", "--source", "-")
	cmd.Stdin, cmd.Stderr = tty, &said
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if code := ends(t, cmd, time.Minute); code != 2 || !strings.Contains(said.String(), "which is a terminal") {
		t.Errorf("exit code %d: %s", code, said.String())
	}
}

func TestASignalIsHeardWhileNobodyWritesIntoAPipe(t *testing.T) {
	t.Parallel()
	for _, signal := range []struct {
		syscall.Signal
		code int
	}{{syscall.SIGINT, 130}, {syscall.SIGTERM, 143}} {
		for _, line := range []string{"render", "deploy -f -", "up -k HANGS", "render -f HANGS"} {
			t.Run(signal.String()+" "+line, func(t *testing.T) {
				t.Parallel()
				cmd := command(t)
				hangs := filepath.Join(cmd.Dir, "hangs")
				pipe := hangs
				if strings.Contains(line, "-k") {
					pipe = filepath.Join(hangs, "kustomization.yaml")
					if err := os.Mkdir(hangs, 0o755); err != nil {
						t.Fatal(err)
					}
				}
				if err := unix.Mkfifo(pipe, 0o600); err != nil {
					t.Fatal(err)
				}
				cmd.Args = append(cmd.Args, strings.Fields(strings.ReplaceAll(line, "HANGS", hangs))...)
				var said screen
				cmd.Stderr = &said
				// Held open by this test, and nothing comes.
				reads, writes, err := os.Pipe()
				if err != nil {
					t.Fatal(err)
				}
				defer func() { _ = errors.Join(reads.Close(), writes.Close()) }()
				cmd.Stdin = reads
				if err := cmd.Start(); err != nil {
					t.Fatal(err)
				}
				// A process that reads says nothing that could be waited for. It starts in some
				// 20 ms; the rest is for slow machines.
				time.Sleep(time.Second)
				if err := cmd.Process.Signal(signal.Signal); err != nil {
					t.Fatal(err)
				}
				if code := ends(t, cmd, soon); code != signal.code {
					t.Errorf("exit code %d: %s", code, said.String())
				}
			})
		}
	}
}
