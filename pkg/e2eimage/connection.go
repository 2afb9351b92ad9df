package e2eimage

import (
	"fmt"
	"path/filepath"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/discovery"
	"k8s.io/client-go/discovery/cached/memory"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/restmapper"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// connection is what the options say of the API server, without the process's environment.
func (o Options) connection() genericclioptions.RESTClientGetter {
	if o.REST != nil {
		// Only its namespace, default, and the context's name, in errors, are read.
		const name = "Options.REST"
		kubeconfig := clientcmdapi.Config{
			Clusters: map[string]*clientcmdapi.Cluster{name: {Server: o.REST.Host}},
			Contexts: map[string]*clientcmdapi.Context{name: {Cluster: name}}, CurrentContext: name,
		}
		loader := clientcmd.NewDefaultClientConfig(kubeconfig, &clientcmd.ConfigOverrides{})
		return connection{loader: loader, rest: o.REST}
	}
	rules := &clientcmd.ClientConfigLoadingRules{
		ExplicitPath: o.Kubeconfig, DefaultClientConfig: &clientcmd.DefaultClientConfig,
		Precedence: []string{clientcmd.RecommendedHomeFile},
	}
	if paths, _ := o.LookupEnv(clientcmd.RecommendedConfigPathEnvVar); paths != "" {
		rules.Precedence, rules.WarnIfAllMissing = filepath.SplitList(paths), true
	}
	if o.Kubeconfig != "" && !filepath.IsAbs(o.Kubeconfig) {
		rules.ExplicitPath = filepath.Join(o.Dir, o.Kubeconfig)
	}
	return connection{loader: clientcmd.NewNonInteractiveDeferredLoadingClientConfig(rules, &clientcmd.ConfigOverrides{
		ClusterDefaults: clientcmd.ClusterDefaults, CurrentContext: o.Context,
	})}
}

// connection gives a kubeconfig's connection, or one that there is already.
type connection struct {
	loader clientcmd.ClientConfig
	rest   *rest.Config
}

var _ genericclioptions.RESTClientGetter = connection{}

// ToRESTConfig implements genericclioptions.RESTClientGetter.
func (c connection) ToRESTConfig() (*rest.Config, error) {
	if c.rest != nil {
		return rest.CopyConfig(c.rest), nil
	}
	return c.loader.ClientConfig()
}

// ToRawKubeConfigLoader implements genericclioptions.RESTClientGetter.
func (c connection) ToRawKubeConfigLoader() clientcmd.ClientConfig { return c.loader }

// ToDiscoveryClient implements genericclioptions.RESTClientGetter.
func (c connection) ToDiscoveryClient() (discovery.CachedDiscoveryInterface, error) {
	restConfig, err := c.ToRESTConfig()
	if err != nil {
		return nil, err
	}
	// As for all other requests: see Client.kube.
	restConfig.QPS = -1
	client, err := discovery.NewDiscoveryClientForConfig(restConfig)
	if err != nil {
		return nil, fmt.Errorf("kinds of the API server: %w", err)
	}
	return memory.NewMemCacheClient(client), nil
}

// ToRESTMapper implements genericclioptions.RESTClientGetter.
func (c connection) ToRESTMapper() (meta.RESTMapper, error) {
	client, err := c.ToDiscoveryClient()
	if err != nil {
		return nil, err
	}
	mapper := restmapper.NewDeferredDiscoveryRESTMapper(client)
	return restmapper.NewShortcutExpander(mapper, client, nil), nil
}
