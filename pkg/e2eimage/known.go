package e2eimage

import (
	"context"
	"slices"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Kind is what there are names of.
type Kind string

// What there are names of.
const (
	KindImages     Kind = "images"
	KindConsumers  Kind = "consumers"
	KindNamespaces Kind = "namespaces"
	// KindWorkloads are those that can be deployed to, as KIND/NAME.
	KindWorkloads Kind = "workloads"
	// KindNodes are those of the Kind cluster.
	KindNodes Kind = "nodes"
	// KindHostImages are the images of this host's engines.
	KindHostImages Kind = "hostImages"
)

// KnownInput is what Known needs.
type KnownInput struct {
	// Suite says where; its images do not matter.
	Suite config.Suite
	Of    Kind
}

// KnownResult has names, sorted, each once.
type KnownResult struct {
	Names []string `json:"names"`
}

// Known lists what there is, for who wants to choose from it: the images and consumers
// with records in the namespace, its workloads, all namespaces, the Kind cluster's nodes,
// or what this host's engines have.
func (c *Client) Known(ctx context.Context, in KnownInput) (*KnownResult, error) {
	return verb(ctx, in, c.known)
}

func (c *Client) known(ctx context.Context, in KnownInput) (*KnownResult, error) {
	switch in.Of {
	case KindNodes:
		cluster, err := c.find(ctx, in.Suite)
		if err != nil {
			return nil, err
		}
		defer cluster.Close()
		return known(cluster.Names()), nil
	case KindHostImages:
		return known(engine.Listed(ctx, c.runner, in.Suite.Engine)), nil
	}
	server, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	var names []string
	switch in.Of {
	case KindImages, KindConsumers:
		sets, err := server.records.List(ctx, server.namespace)
		if err != nil {
			return nil, err
		}
		for _, set := range sets {
			if in.Of == KindConsumers {
				names = append(names, set.Consumer)
			} else {
				names = append(names, set.Names()...)
			}
		}
	case KindNamespaces:
		listed, err := server.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
		if err != nil {
			return nil, err
		}
		for _, one := range listed.Items {
			names = append(names, one.Name)
		}
	case KindWorkloads:
		names = kube.Names(ctx, server, server.namespace)
	}
	return known(names), nil
}

func known(names []string) *KnownResult {
	slices.Sort(names)
	return &KnownResult{Names: slices.Compact(names)}
}
