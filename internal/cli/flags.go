package cli

import (
	"cmp"
	"context"
	"fmt"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"k8s.io/utils/ptr"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// commonFlags are the flags that every verb has.
type commonFlags struct {
	config.Flags
	quiet bool
}

func (f *commonFlags) add(flags *pflag.FlagSet) {
	flags.StringVar(&f.ConfigPath, "config", "", "The e2eimage.yaml to use (default: in the working folder or above it)")
	flags.StringVar(&f.Consumer, "consumer", "", "The suite that uses the images")
	flags.StringVar(&f.KindCluster, "kind-cluster", "",
		"Name of the Kind cluster (default: from the kube context kind-NAME)")
	flags.StringVar(&f.Provider, "provider", "",
		"Engine that the Kind cluster runs on, docker or podman (default: the one that has it)")
	flags.StringVar(&f.Registry, "registry", "",
		"Registry that the images go through, [http://]HOST[:PORT][/PATH], or none (default: the nodes of the Kind cluster)")
	flags.StringVar(&f.Lock, "lock", "", "The lock file (default: .e2eimage/CONSUMER.lock.yaml beside e2eimage.yaml)")
	flags.BoolVarP(&f.quiet, "quiet", "q", false, "Print only results, warnings and errors")
}

// withCommon adds to what a verb's own flags say what those say that all verbs have.
func (a *app) withCommon(own config.Flags) config.Flags {
	own.ConfigPath, own.Consumer, own.KindCluster = a.common.ConfigPath, a.common.Consumer, a.common.KindCluster
	own.Provider, own.Registry, own.Lock = a.common.Provider, a.common.Registry, a.common.Lock
	own.Repeat = a.repeated()
	own.Namespace = ptr.Deref(a.kube.Namespace, "")
	return own
}

// repeated are the flags by which the cluster and the config are found: commands that
// are suggested need them, too.
func (a *app) repeated() []string {
	words := flagged("config", &a.common.ConfigPath)
	words = append(words, a.kubectlFlags()...)
	words = append(words, flagged("kind-cluster", &a.common.KindCluster)...)
	words = append(words, flagged("provider", &a.common.Provider)...)
	return append(words, flagged("registry", &a.common.Registry)...)
}

// kubectlFlags are those of them that kubectl has, too.
func (a *app) kubectlFlags() []string {
	words := flagged("kubeconfig", a.kube.KubeConfig)
	words = append(words, flagged("context", a.kube.Context)...)
	return append(words, flagged("cluster", a.kube.ClusterName)...)
}

// flagged is a flag as it was given, if it was.
func flagged(flag string, value *string) []string {
	if given := ptr.Deref(value, ""); given != "" {
		return []string{"--" + flag, given}
	}
	return nil
}

// namespaceSaid tells whether -n was given, which confines manifests then.
func (a *app) namespaceSaid() bool { return ptr.Deref(a.kube.Namespace, "") != "" }

// suite resolves flags, environment and config to what a verb works on.
func (a *app) suite(flags config.Flags) (config.Suite, error) {
	suite, err := config.Resolve(flags, a.host.Environment, a.host.Dir)
	if err == nil && suite.File == "" {
		a.unsaid(&suite)
	}
	return suite, err
}

// unsaid notes what the kube context says where no flag, variable or file does: hints need
// not repeat it.
func (a *app) unsaid(suite *config.Suite) {
	raw, err := a.kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return // said by who needs it
	}
	name := cmp.Or(ptr.Deref(a.kube.Context, ""), raw.CurrentContext)
	current := raw.Contexts[name]
	if current == nil {
		return
	}
	if variable, _ := a.host.Environment("E2EIMAGE_NAMESPACE"); variable == "" {
		suite.Hints.Namespace = cmp.Or(current.Namespace, "default")
	}
	if variable, _ := a.host.Environment("E2EIMAGE_CONSUMER"); variable == "" {
		if kind, ok := strings.CutPrefix(name, "kind-"); ok {
			suite.Hints.Cluster = kind
		}
		suite.Hints.Cluster = cmp.Or(suite.KindCluster, suite.Hints.Cluster)
	}
}

// client connects the library to this command's kubeconfig and streams.
func (a *app) client() (verbs, error) {
	return a.connect(e2eimage.Options{
		Kube: a.kube, Context: ptr.Deref(a.kube.Context, ""), Dir: a.host.Dir, LookupEnv: a.host.Environment,
		Reporter: a.reporter(),
	})
}

// bounded ends ctx after the timeout, with a cause that says which flag it was.
func bounded(ctx context.Context, timeout time.Duration) (context.Context, context.CancelFunc) {
	if timeout <= 0 {
		return context.WithCancel(ctx)
	}
	cause := &e2eimage.TimeoutError{Err: fmt.Errorf("not done after --timeout=%s", timeout)}
	return context.WithTimeoutCause(ctx, timeout, cause)
}
