package containerd

import (
	"io"
	"net"
	"runtime"
	"strings"
	"testing"
)

func TestANodeIsConnectedOverTheNetworkWhenBothPasswordsAreRight(t *testing.T) {
	t.Parallel()
	if runtime.GOOS != "linux" {
		return // there nothing is tried
	}
	theirs, ours := strings.Repeat("a", passwordLength), strings.Repeat("b", passwordLength)
	tests := map[string]struct {
		says string
		// told is what the other side hears of us.
		told string
	}{
		"it is the node":     {says: theirs, told: ours + "hello"},
		"it is another host": {says: strings.Repeat("c", passwordLength)},
		"it says too little": {says: "a"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			listener, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				t.Fatal(err)
			}
			defer listener.Close()
			heard := make(chan string, 1)
			go func() {
				conn, err := listener.Accept()
				if err != nil {
					heard <- err.Error()
					return
				}
				defer conn.Close()
				_, _ = io.WriteString(conn, test.says)
				if len(test.says) < passwordLength {
					_ = conn.(*net.TCPConn).CloseWrite()
				}
				text, _ := io.ReadAll(conn)
				heard <- string(text)
			}()
			conn, err := connectByNetwork(t.Context(), Handshake{network: listener.Addr().String() + " " + theirs + ours + "\n"})
			if (err == nil) != (test.told != "") {
				t.Errorf("error %v", err)
			}
			if err == nil {
				if _, err := io.WriteString(conn, "hello"); err != nil {
					t.Error(err)
				}
				if err := conn.Close(); err != nil {
					t.Error(err)
				}
			}
			if got := <-heard; got != test.told {
				t.Errorf("it was told %q, want %q", got, test.told)
			}
		})
	}
}

// silent listens and never says a word.
func silent(t *testing.T) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	return listener.Addr().String()
}

func TestANodeWithoutAReachableAddressIsNotConnectedOverTheNetwork(t *testing.T) {
	t.Parallel()
	passwords := strings.Repeat("a", 2*passwordLength)
	for name, said := range map[string]string{
		"it tells none":               "",
		"it tells no passwords":       "127.0.0.1:1\n",
		"nobody listens":              "127.0.0.1:1 " + passwords,
		"somebody says nothing":       silent(t) + " " + passwords,
		"it tells more than it shall": "127.0.0.1:1 " + passwords + " more",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			conn, err := connectByNetwork(t.Context(), Handshake{network: said})
			if err == nil {
				t.Errorf("connected to %s", conn.RemoteAddr())
			}
		})
	}
}
