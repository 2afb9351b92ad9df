package e2eimage

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// kubeconfigFile has two contexts, of which the first is the current one.
func kubeconfigFile(t *testing.T, dir string) string {
	t.Helper()
	path := filepath.Join(dir, "kubeconfig")
	err := clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters: map[string]*clientcmdapi.Cluster{"a": {Server: "https://a"}, "b": {Server: "https://b"}},
		Contexts: map[string]*clientcmdapi.Context{
			"kind-a": {Cluster: "a", Namespace: "in-a"}, "kind-b": {Cluster: "b", Namespace: "in-b"},
		},
		CurrentContext: "kind-a",
	}, path)
	if err != nil {
		t.Fatal(err)
	}
	return path
}

func TestOptionsChooseTheConnectionAndTheKindCluster(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := kubeconfigFile(t, dir)
	variable := func(key string) (string, bool) {
		if key == "KUBECONFIG" {
			return path, true
		}
		return "", false
	}
	for name, test := range map[string]struct {
		options                  Options
		server, namespace, named string
	}{
		"a kubeconfig's current context":     {Options{Kubeconfig: path}, "https://a", "in-a", "a"},
		"a kubeconfig beside the folder":     {Options{Kubeconfig: "kubeconfig", Dir: dir}, "https://a", "in-a", "a"},
		"another context":                    {Options{Kubeconfig: path, Context: "kind-b"}, "https://b", "in-b", "b"},
		"the variable of its own":            {Options{LookupEnv: variable, Context: "kind-b"}, "https://b", "in-b", "b"},
		"a cluster that is named":            {Options{Kubeconfig: path, KindCluster: "c"}, "https://a", "in-a", "c"},
		"a connection that there is":         {Options{REST: &rest.Config{Host: "https://r"}}, "https://r", "default", ""},
		"a connection and a Kind cluster":    {Options{REST: &rest.Config{Host: "https://r"}, KindCluster: "c"}, "https://r", "default", "c"},
		"what gives the kubeconfig to a CLI": {Options{Kube: configFlags(path)}, "https://a", "in-a", "a"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			client, err := New(test.options)
			if err != nil {
				t.Fatal(err)
			}
			api, err := client.kube(config.Suite{})
			if err != nil {
				t.Fatal(err)
			}
			named, err := client.kindCluster(config.Suite{})
			if err != nil != (test.named == "") || api.config.Host != test.server || api.namespace != test.namespace || named != test.named {
				t.Errorf("%s %s %q, %v; want %s %s %q", api.config.Host, api.namespace, named, err, test.server, test.namespace, test.named)
			}
			if _, err := client.options.Kube.ToRESTMapper(); err != nil {
				t.Error(err)
			}
		})
	}
}

func configFlags(path string) *genericclioptions.ConfigFlags {
	flags := genericclioptions.NewConfigFlags(true)
	flags.KubeConfig = &path
	return flags
}

func TestOptionsThatContradictEachOtherAreAllSaid(t *testing.T) {
	t.Parallel()
	_, err := New(Options{
		REST: &rest.Config{}, Kubeconfig: "x", Context: "kind-a", KindCluster: "Not/One", Provider: "lxc",
	})
	is[*UsageError](t, err, "more than one of Kubeconfig, REST and Kube", `Options.Context "kind-a"`, "Options.KindCluster", "Options.Provider")
}

func TestTwoClientsOfOneProcessHaveDifferentEnvironments(t *testing.T) {
	t.Parallel()
	for _, host := range []string{"unix:///one", "unix:///two"} {
		client, err := New(Options{Env: []string{"DOCKER_HOST=" + host}})
		if err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		command := hostexec.Command{Argv: []string{os.Args[0], "-test.run=^TestPrintsDockerHost$"}, Stdout: &out, Env: []string{printsVariable + "=1"}}
		if err := client.runner.Run(t.Context(), command); err != nil || !strings.Contains(out.String(), host+"\n") {
			t.Errorf("%s: the command saw %q, %v", host, out.String(), err)
		}
	}
	if value, set := os.LookupEnv("DOCKER_HOST"); set && strings.HasPrefix(value, "unix:///one") {
		t.Error("the process's environment was changed")
	}
}

// printsVariable makes the test binary a command that says what it sees.
const printsVariable = "E2EIMAGE_TEST_PRINTS"

func TestPrintsDockerHost(t *testing.T) {
	if os.Getenv(printsVariable) != "" {
		os.Stdout.WriteString(os.Getenv("DOCKER_HOST") + "\n")
	}
}
