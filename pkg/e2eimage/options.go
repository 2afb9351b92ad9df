package e2eimage

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"

	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// Options say where a Client or Suite works, and who listens. Zero values mean what the
// command line means without flags. Two clients of one process share nothing: neither the
// process's environment nor a kubeconfig is ever changed.
type Options struct {
	// Kubeconfig is the path of a kubeconfig; "" for those that KUBECONFIG names, else
	// ~/.kube/config.
	Kubeconfig string
	// Context of the kubeconfig, "" for its current one. If it is kind-NAME, the Kind
	// cluster is NAME.
	Context string
	// REST is a connection that there is already, such as envtest's or that of
	// controller-runtime, in place of a kubeconfig.
	REST *rest.Config
	// Kube gives the connection in place of Kubeconfig and REST, as kubectl's plugins have
	// it: genericclioptions.NewConfigFlags. Context then is the one that it uses.
	Kube genericclioptions.RESTClientGetter
	// KindCluster is the Kind cluster's name. "": that of e2eimage.yaml or of the
	// environment, else from the context, else of the cluster on this host whose nodes
	// have the API server's certificate authority.
	KindCluster string
	// Provider is the engine that the Kind cluster runs on, docker or podman; "" for the
	// one that has it.
	Provider string
	// Dir is the working folder: e2eimage.yaml is looked for in it and above it, and
	// relative paths start there. "" for the process's.
	Dir string
	// LookupEnv looks up a variable such as KUBECONFIG or E2EIMAGE_NAMESPACE, nil for the
	// process's environment.
	LookupEnv config.Environment
	// Env are variables for the commands that are run, such as docker and podman, each
	// KEY=VALUE, on top of the process's own: DOCKER_HOST, for example.
	Env []string
	// User is who runs this, for records and templates; "" for the name that the system
	// says.
	User string
	// Registries say how to log in to registries, and whom to trust; nothing for
	// DefaultRegistryFiles, as docker and podman have them.
	Registries RegistryFiles
	// Reporter is told what happens; nil for silence.
	Reporter progress.Reporter
}

// filled gives zero values their meaning, and reports all that cannot be right.
func (o Options) filled() (Options, error) {
	var found mistakes
	if o.REST != nil && (o.Kubeconfig != "" || o.Kube != nil) || o.Kube != nil && o.Kubeconfig != "" {
		found.wrong("Options", "has more than one of Kubeconfig, REST and Kube; choose one")
	}
	if o.REST != nil && o.Context != "" {
		found.wrong("Options.Context", "%q is of a kubeconfig, but REST is a connection already; "+
			"say the Kind cluster's name with KindCluster", o.Context)
	}
	found.of("Options", (config.Suite{KindCluster: o.KindCluster, Provider: o.Provider}).Check())
	for _, variable := range o.Env {
		if key, _, is := strings.Cut(variable, "="); !is || key == "" {
			found.wrong("Options.Env", "%q is not KEY=VALUE", variable)
		}
	}
	if o.Dir == "" || !filepath.IsAbs(o.Dir) {
		dir, err := filepath.Abs(o.Dir)
		if err != nil {
			return o, fmt.Errorf("working folder: %w", err)
		}
		o.Dir = dir
	}
	if o.LookupEnv == nil {
		o.LookupEnv = os.LookupEnv
	}
	if o.Kube == nil {
		o.Kube = o.connection()
	}
	if o.User == "" {
		o.User = userName()
	}
	if o.Registries.Credentials == nil && o.Registries.Certificates == nil {
		home, _ := o.LookupEnv("HOME")
		if profile, _ := o.LookupEnv("USERPROFILE"); home == "" {
			home = profile
		}
		o.Registries = DefaultRegistryFiles(o.LookupEnv, home)
	}
	if o.Reporter == nil {
		o.Reporter = progress.Discard{}
	}
	if err := errors.Join(found.all...); err != nil {
		return o, &UsageError{err}
	}
	return o, nil
}

// userName is who runs this, "" where the system does not tell.
func userName() string {
	current, err := user.Current()
	if err != nil {
		return ""
	}
	return current.Username
}
