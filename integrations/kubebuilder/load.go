// Package kubebuilder is for E2E suites that kubebuilder or operator-sdk scaffolded: what
// their test/utils has, on this project's library. It must not know records: a suite that
// wants those uses package e2eimage.
package kubebuilder

import (
	"context"
	"os"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// defaultKindCluster is what kind calls a cluster that nobody named, and what kubebuilder's
// scaffold assumes.
const defaultKindCluster = "kind"

// LoadImageToKindClusterWithName brings an image of docker or podman to every node of the Kind
// cluster, as the function of this name in a scaffold's test/utils does: the cluster is the
// environment's KIND_CLUSTER, else "kind". Only what the nodes lack is sent, and the program
// kind is not needed. Errors have the codes of package e2eimage, such as
// e2eimage.CodeNoCluster and e2eimage.CodeSource.
func LoadImageToKindClusterWithName(name string) error {
	// As in the scaffold, there is no context to hand on.
	return LoadImage(context.Background(), name)
}

// LoadImage is LoadImageToKindClusterWithName for who has a context, such as Ginkgo's
// SpecContext.
func LoadImage(ctx context.Context, name string) error {
	cluster, said := os.LookupEnv("KIND_CLUSTER")
	if !said {
		cluster = defaultKindCluster
	}
	_, err := e2eimage.LoadImages(ctx, e2eimage.Options{KindCluster: cluster}, name)
	return err
}
