package containerd

import (
	"bufio"
	"context"
	"io"
	"net"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"
)

// asNode runs what an exec runs in a node here, with a containerd that says back what it
// hears, and returns the handshake.
func asNode(t *testing.T) (stdin io.WriteCloser, stdout *bufio.Reader, handshake Handshake, ended <-chan error) {
	t.Helper()
	socket := filepath.Join(t.TempDir(), "s")
	containerd, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = containerd.Close() })
	go func() {
		if conn, err := containerd.Accept(); err == nil {
			_, _ = io.Copy(conn, conn)
			_ = conn.Close()
		}
	}()
	script := strings.NewReplacer("/run/containerd/containerd.sock", socket, "uname -n", "echo localhost").Replace(connectScript)
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	t.Cleanup(cancel)
	node := exec.CommandContext(ctx, "perl", "-e", script)
	if stdin, err = node.StdinPipe(); err != nil {
		t.Fatal(err)
	}
	out, err := node.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := node.Start(); err != nil {
		t.Fatal(err)
	}
	stdout = bufio.NewReader(out)
	if handshake, err = readHandshake(stdout); err != nil {
		t.Fatal(err)
	}
	done := make(chan error, 1)
	go func() { done <- node.Wait() }()
	return stdin, stdout, handshake, done
}

// echoes tells whether what is sent comes back.
func echoes(t *testing.T, to io.Writer, from io.Reader) {
	t.Helper()
	if _, err := io.WriteString(to, "hello"); err != nil {
		t.Fatal(err)
	}
	heard := make([]byte, 5)
	if _, err := io.ReadFull(from, heard); err != nil || string(heard) != "hello" {
		t.Fatalf("heard %q, %v", heard, err)
	}
}

// wantNobodyElse wants that a second client does not get in, and that all ends with stdin.
func wantNobodyElse(t *testing.T, stdin io.Closer, handshake Handshake, ended <-chan error) {
	t.Helper()
	if _, err := connectByNetwork(t.Context(), handshake); err == nil {
		t.Error("a second client got in")
	}
	if err := stdin.Close(); err != nil {
		t.Fatal(err)
	}
	if err := <-ended; err != nil {
		t.Errorf("it ended with its stdin, and says %v", err)
	}
}

func TestANodeTakesOneClientThatKnowsItsPassword(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // nodes are Linux
	}
	stdin, _, handshake, ended := asNode(t)
	address := strings.Fields(handshake.network)[0]
	// Strangers come first: one hangs up at once, one says something else, one nothing.
	for _, says := range []string{"silent", "", strings.Repeat("x", passwordLength)} {
		stranger, err := net.Dial("tcp", address)
		if err != nil {
			t.Fatal(err)
		}
		defer stranger.Close()
		switch says {
		case "":
			// An end, then a reset: writing to it is a broken pipe.
			half := stranger.(*net.TCPConn)
			_ = half.CloseWrite()
			_ = half.SetLinger(0)
			_ = half.Close()
		case "silent":
		default:
			_, _ = io.WriteString(stranger, says)
		}
	}
	var conn net.Conn
	// The silent one holds the others up for as long as a password may take.
	for deadline := time.Now().Add(20 * time.Second); conn == nil; {
		var err error
		if conn, err = connectByNetwork(t.Context(), handshake); err != nil && time.Now().After(deadline) {
			t.Fatal(err)
		}
	}
	echoes(t, conn, conn)
	wantNobodyElse(t, stdin, handshake, ended)
	if _, err := conn.Read(make([]byte, 1)); err == nil {
		t.Error("the connection outlives the exec")
	}
}

func TestANodeTakesItsClientAtStdinAsWell(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // nodes are Linux
	}
	stdin, stdout, handshake, ended := asNode(t)
	echoes(t, stdin, stdout)
	wantNobodyElse(t, stdin, handshake, ended)
}
