package e2eimage

import (
	"context"
	"fmt"
	"os"

	"k8s.io/client-go/rest"

	"github.com/e2eimage/kubectl-e2eimage/internal/version"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// Client carries out the verbs. It is safe for concurrent use.
type Client struct {
	options Options
	report  progress.Reporter
	runner  hostexec.Runner
	connect func(*rest.Config) (kube.API, error)
	host    string
	holder  string
	byCA    *clusterByCA
}

// New returns a client. It does not connect to anything yet.
func New(options Options) (*Client, error) {
	options, err := options.filled()
	if err != nil {
		return nil, err
	}
	host, err := os.Hostname()
	if err != nil {
		return nil, fmt.Errorf("name of this host: %w", err)
	}
	random, err := config.NewRandom()
	if err != nil {
		return nil, err
	}
	return &Client{
		options: options,
		report:  options.Reporter,
		runner:  hostexec.Host{Env: options.Env},
		connect: kube.NewAPI,
		host:    host,
		holder:  fmt.Sprintf("%s/%d/%s", host, os.Getpid(), random),
		byCA:    &clusterByCA{},
	}, nil
}

// kube is the API server and the namespace that a verb works in.
type apiServer struct {
	kube.API
	config    *rest.Config
	namespace string
	records   *record.Store
}

func (c *Client) kube(suite config.Suite) (*apiServer, error) {
	restConfig, err := c.options.Kube.ToRESTConfig()
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	// As kubectl does: the API server has its own fairness, and 5 requests a second
	// would make manifests of many objects take minutes.
	restConfig = rest.CopyConfig(restConfig)
	restConfig.QPS = -1
	if restConfig.UserAgent == "" {
		restConfig.UserAgent = version.Read().UserAgent()
	}
	namespace := suite.Namespace
	if namespace == "" {
		if namespace, _, err = c.options.Kube.ToRawKubeConfigLoader().Namespace(); err != nil {
			return nil, fmt.Errorf("kubeconfig: %w", err)
		}
	}
	client, err := c.connect(restConfig)
	if err != nil {
		return nil, fmt.Errorf("kubeconfig: %w", err)
	}
	records := record.NewStore(client.CoreV1()).Suggesting(suggested{suite})
	return &apiServer{API: client, config: restConfig, namespace: namespace, records: records}, nil
}

// find returns the Kind cluster whose nodes the verb works on.
func (c *Client) find(ctx context.Context, suite config.Suite) (*kindnode.Cluster, error) {
	query, err := c.whichCluster(ctx, suite)
	if err != nil {
		return nil, err
	}
	return kindnode.Find(ctx, c.runner, query)
}

// inUse asks the place that is opened what it has and what runs there, and makes sure that its
// nodes are the API server's. The caller closes the place.
func (c *Client) inUse(ctx context.Context, kube *apiServer, open func() (*place, error),
) (*place, kindnode.States, error) {
	place, err := open()
	if err != nil {
		return nil, nil, err
	}
	states, err := c.ask(ctx, place, imageStore.ProbeUse)
	if err == nil {
		err = kube.checkRightCluster(ctx, place, states)
	}
	if err != nil {
		place.Close()
		return nil, nil, err
	}
	return place, states, nil
}

// ask asks all of a store what they have.
func (c *Client) ask(ctx context.Context, store imageStore,
	probe func(imageStore, context.Context) (kindnode.States, error),
) (kindnode.States, error) {
	checking := c.report.Start(step("Checking", "Checked", nodesOf(store.Names())))
	states, err := probe(store, ctx)
	checking.End(err)
	return states, err
}
