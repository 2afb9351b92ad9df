package containerd

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestAProcessThatIsNotTheContainersIsNotEntered(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		node Node
		says string
	}{
		"unknown":           {Node{ContainerID: "abc"}, "not known"},
		"of somebody else":  {Node{ContainerID: strings.Repeat("ab", 32), PID: os.Getpid()}, "is not container abababababab's"},
		"that is not there": {Node{ContainerID: "abc", PID: 1 << 22}, "process 4194304"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := connectDirectly(t.Context(), test.node); err == nil || !strings.Contains(err.Error(), test.says) {
				t.Errorf("error %v, want %q", err, test.says)
			}
		})
	}
}

func TestLinksInANodeLeadNowhereElse(t *testing.T) {
	t.Parallel()
	dir, outside := t.TempDir(), t.TempDir()
	write := func(path, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	link := func(to, path string) {
		t.Helper()
		if err := os.Symlink(to, filepath.Join(dir, path)); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(outside, "secret"), "of the host")
	write(filepath.Join(dir, "inside"), "of the node")
	link(filepath.Join(outside, "secret"), "absolute")
	link("../../../../../../../.."+filepath.Join(outside, "secret"), "upwards")
	link("/inside", "harmless")
	root, err := unix.Open(dir, unix.O_PATH|unix.O_DIRECTORY, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(root)
	for name, want := range map[string]string{"absolute": "", "upwards": "", "harmless": "of the node", "inside": "of the node", "missing": ""} {
		if got, err := readIn(root, name); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v, want %q", name, got, err, want)
		}
	}
}

func TestTheFirstProcessOfANodeIsToldFromAPods(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]string{
		"Name:\tsystemd\nNSpid:\t2204\t1\n":        "2204 1",
		"Name:\tpause\nNSpid:\t5000\t300\t1\nX:\n": "5000 300 1",
		"Name:\told\n": "",
	} {
		if got := strings.Join(namespacePIDs([]byte(status)), " "); got != want {
			t.Errorf("%q: %q, want %q", status, got, want)
		}
	}
}
