package hostengine

import (
	"io"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
)

func TestContainersConfStaysBelowTheHardLimits(t *testing.T) {
	got := containersConf(20000, 1<<62)
	for _, want := range []string{`"nofile=20000:20000"`, `"nproc=32768:32768"`, `runtime = "runc"`} {
		if !strings.Contains(got, want) {
			t.Errorf("no %s in:\n%s", want, got)
		}
	}
}

func TestDaemonArgv(t *testing.T) {
	m := Machine{State: "/s", Facts: host.Facts{SysResource: true}}
	if got := strings.Join(m.daemon().argv(), " "); strings.Contains(got, "runtime") || !strings.Contains(got, "--host unix:///s/docker/docker.sock --data-root /s/docker/data") {
		t.Errorf("got %s", got)
	}
	m.Facts.SysResource = false
	if got := m.daemon().argv(); !slices.Contains(got, "e2eimage=/s/docker/runc") {
		t.Errorf("the runc that leaves a capability out is not used: %s", got)
	}
}

func TestNewDockersAndPodmansDoNotShareAnything(t *testing.T) {
	m := Machine{State: "/s", Facts: host.Facts{SysResource: true}}
	places := map[string]string{m.daemon().dir: "the machine's"}
	for _, name := range NewDockers() {
		d := m.newDocker(name)
		if other := places[d.dir]; other != "" {
			t.Errorf("%s has the folder of %s: %s", name, other, d.dir)
		}
		places[d.dir] = name
		argv := strings.Join(d.argv(), " ")
		if !strings.Contains(argv, d.tree+" "+d.dir+" -- ") || !strings.Contains(argv, "dockerd --config-file "+d.dir+"/daemon.json") || !strings.Contains(argv, "--iptables=false") {
			t.Errorf("%s is %s", name, argv)
		}
		// The PATH inside leads to this very script, if it leads to the one outside.
		if script := m.newPodman(name).command(); !strings.Contains(script, d.tree) || !strings.Contains(script, `/usr/bin/podman "$@"`) {
			t.Errorf("the podman beside %s is %s", name, script)
		}
	}
}

func TestALinkLeadsWhereItIsToLead(t *testing.T) {
	dir := t.TempDir()
	link := filepath.Join(dir, "link")
	for _, name := range []string{"one", "two", "two"} {
		target := filepath.Join(dir, name)
		if err := os.WriteFile(target, nil, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := linked(target, link); err != nil {
			t.Fatal(err)
		}
		if now, err := os.Readlink(link); err != nil || now != target {
			t.Errorf("it leads to %s, want %s: %v", now, target, err)
		}
	}
	if err := linked(filepath.Join(dir, "none"), link); err == nil {
		t.Error("it leads to nothing")
	}
}

func TestDaemonRefusesALongPath(t *testing.T) {
	m := Machine{State: "/" + strings.Repeat("x", 80), Log: io.Discard}
	if err := m.daemon().ensure(t.Context()); err == nil || !strings.Contains(err.Error(), "E2EIMAGE_TEST_CACHE") {
		t.Errorf("got %v", err)
	}
}

func TestAnotherProcessIsNotTheDaemon(t *testing.T) {
	m := Machine{State: t.TempDir(), Log: io.Discard}
	d := m.daemon()
	if err := os.MkdirAll(d.dir, 0o755); err != nil {
		t.Fatal(err)
	}
	pidfile := d.file("dockerd.pid")
	if err := os.WriteFile(pidfile, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		t.Fatal(err)
	}
	if pid, err := d.running(); pid != 0 || err != nil {
		t.Errorf("got %d, %v", pid, err)
	}
	if err := d.forgetDead(); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(pidfile); !os.IsNotExist(err) {
		t.Errorf("the stale note is still there: %v", err)
	}
	if err := m.Down(t.Context(), true); err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat(d.dir); !os.IsNotExist(err) {
		t.Errorf("the folder is still there: %v", err)
	}
}

func TestDownWithoutADaemon(t *testing.T) {
	if err := (Machine{State: filepath.Join(t.TempDir(), "none"), Log: io.Discard}).Down(t.Context(), true); err != nil {
		t.Fatal(err)
	}
}

func TestCompletePath(t *testing.T) {
	for in, want := range map[string]string{
		"/bin":                                 "/bin:/usr/local/sbin:/usr/sbin:/sbin",
		"/usr/local/sbin:/usr/sbin:/sbin:/bin": "/usr/local/sbin:/usr/sbin:/sbin:/bin",
		"/usr/sbin:/bin":                       "/usr/sbin:/bin:/usr/local/sbin:/sbin",
		"":                                     "/usr/local/sbin:/usr/sbin:/sbin",
	} {
		got, added := completePath(in)
		if got != want || added != (in != want) {
			t.Errorf("%q: got %q, %v", in, got, added)
		}
	}
}

func TestEnsureRefusesAnUnknownEngine(t *testing.T) {
	if _, err := (Machine{Log: io.Discard}).Ensure(t.Context(), "nerdctl"); err == nil || !strings.Contains(err.Error(), "podman or docker") {
		t.Errorf("got %v", err)
	}
}
