package cli

import (
	"bytes"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"k8s.io/cli-runtime/pkg/genericiooptions"
)

func TestTheVersionIsPrinted(t *testing.T) {
	t.Parallel()
	for args, wants := range map[string][]string{
		"version":         {"kubectl-e2eimage ", "go1."},
		"version -o json": {"{\n", `"clientVersion": {`, `"gitVersion": "`, `"goVersion": "go1.`, `"platform": "`},
		"version -o yaml": {"clientVersion:\n", "  gitVersion: ", "  goVersion: go1.", "  platform: "},
	} {
		t.Run(args, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.done(args)
			for _, want := range wants {
				if !strings.Contains(c.out.String(), want) {
					t.Errorf("no %q in\n%s", want, c.out.String())
				}
			}
		})
	}
}

func TestAPIServersAreToldWhoAsks(t *testing.T) {
	t.Parallel()
	var turn sync.Mutex
	agents := map[string]bool{}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		turn.Lock()
		defer turn.Unlock()
		agents[r.UserAgent()] = true
		http.NotFound(w, r)
	}))
	defer server.Close()
	dir := t.TempDir()
	kubeconfig := filepath.Join(dir, "kubeconfig")
	if err := os.WriteFile(kubeconfig, []byte("apiVersion: v1\nkind: Config\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	var out, errOut bytes.Buffer
	Run(t.Context(), Host{
		Streams:     genericiooptions.IOStreams{In: strings.NewReader(""), Out: &out, ErrOut: &errOut},
		Environment: func(string) (string, bool) { return "", false },
		Dir:         dir,
	}, []string{"ref", "datastorage", "--from", "cluster", "-n", "tests", "--consumer", "suite", "--kubeconfig", kubeconfig, "--server", server.URL})
	if len(agents) == 0 {
		t.Fatalf("nothing was asked\n%s", errOut.String())
	}
	for agent := range agents {
		if !strings.HasPrefix(agent, "kubectl-e2eimage/") || strings.Contains(agent, "$Format") {
			t.Errorf("User-Agent %q", agent)
		}
	}
}
