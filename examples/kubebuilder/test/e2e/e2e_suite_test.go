// Package e2e tests the operator on the Kind cluster of the current kube context.
package e2e

import (
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func TestE2E(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "e2e suite")
}

var (
	suite  *e2eimage.Suite
	images *e2eimage.Images
)

// In place of `make docker-build`, LoadImageToKindClusterWithName and `make deploy`: no file
// that is under version control changes.
var _ = BeforeSuite(func(ctx SpecContext) {
	var err error
	suite, err = e2eimage.Open(e2eimage.Options{Dir: "../..", Reporter: progress.NewLines(GinkgoWriter, progress.Steps)}, "")
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(suite.Down, e2eimage.RemoveWorkloads())
	images, err = suite.Up(ctx, e2eimage.Kustomize("config/default"), e2eimage.CreateNamespace())
	Expect(err).NotTo(HaveOccurred())
}, NodeTimeout(10*time.Minute))
