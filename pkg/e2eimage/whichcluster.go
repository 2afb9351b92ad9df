package e2eimage

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"strings"
	"sync"

	"k8s.io/client-go/rest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// kindContext is what kind calls the contexts that it writes.
const kindContext = "kind-"

// clusterByCA remembers what was found once: looking for it costs a connection to a node of
// each cluster.
type clusterByCA struct {
	mu    sync.Mutex
	found kindnode.Query
}

// kindCluster returns the Kind cluster's name as somebody said it: as asked, else from the
// context. Where nobody did, the error has CodeNoCluster.
func (c *Client) kindCluster(suite config.Suite) (string, error) {
	if name := cmp.Or(suite.KindCluster, c.options.KindCluster); name != "" {
		return name, nil
	}
	current, err := c.context()
	if err != nil {
		return "", err
	}
	if name, ok := strings.CutPrefix(current, kindContext); ok && name != "" {
		return name, nil
	}
	return "", &UsageError{(&Error{Code: CodeNoCluster}).says("which Kind cluster? The kube context is %q, not %sNAME, "+
		"and no Kind cluster on this host has its API server's certificate authority; say it with --kind-cluster, or say "+
		"a registry that the cluster pulls from with --registry", current, kindContext)}
}

// context is the kube context that is used.
func (c *Client) context() (string, error) {
	if c.options.Context != "" {
		return c.options.Context, nil
	}
	raw, err := c.options.Kube.ToRawKubeConfigLoader().RawConfig()
	if err != nil {
		return "", fmt.Errorf("kubeconfig: %w", err)
	}
	return raw.CurrentContext, nil
}

// whichCluster says which Kind cluster is meant: the one that somebody named, else the one
// on this host that the API server belongs to.
func (c *Client) whichCluster(ctx context.Context, suite config.Suite) (kindnode.Query, error) {
	query := kindnode.Query{Provider: suite.Provider, Hint: suite.ProviderHint}
	if query.Provider == "" {
		query.Provider = c.options.Provider
	}
	named, nobody := c.kindCluster(suite)
	if nobody == nil || CodeOf(nobody) != CodeNoCluster {
		query.Name = named
		return query, nobody
	}
	c.byCA.mu.Lock()
	defer c.byCA.mu.Unlock()
	if c.byCA.found.Name != "" {
		return c.byCA.found, nil
	}
	restConfig, err := c.options.Kube.ToRESTConfig()
	if err != nil {
		return query, nobody // said by who needs it
	}
	bundle, err := authority(restConfig)
	if err != nil || len(bundle) == 0 {
		return query, cmp.Or(err, nobody)
	}
	ours := func(ca []byte) bool { return shareCertificate(bundle, ca) }
	found, err := kindnode.FindOf(ctx, c.runner, query.Provider, ours)
	if err != nil || found.Name == "" {
		return query, cmp.Or(err, nobody)
	}
	c.byCA.found = found
	return found, nil
}

// authority is the certificate authority that a connection trusts: the API server's. It is
// empty where the connection has none of its own.
func authority(restConfig *rest.Config) ([]byte, error) {
	if len(restConfig.CAData) > 0 || restConfig.CAFile == "" {
		return restConfig.CAData, nil
	}
	bundle, err := os.ReadFile(restConfig.CAFile)
	if err != nil {
		return nil, fmt.Errorf("certificate authority of the kubeconfig: %w", err)
	}
	return bundle, nil
}
