// Package e2e tests the two services on a Kind cluster, in several processes:
//
//	go tool ginkgo -p --procs 4 --output-dir artifacts --json-report report.json ./e2e
package e2e

import (
	"errors"
	"testing"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

func TestServices(t *testing.T) {
	RegisterFailHandler(Fail)
	RunSpecs(t, "services")
}

var (
	// images are those that the services run.
	images *e2eimage.Images
	// suite is this process's: it only looks on.
	suite *e2eimage.Suite
)

var _ = SynchronizedBeforeSuite(func(ctx SpecContext) []byte {
	suite := open()
	Expect(compile(ctx, "datastorage", "gateway")).To(Succeed())
	DeferCleanup(suite.Down, e2eimage.RemoveWorkloads())
	up, err := suite.Up(ctx, e2eimage.Apply("deploy.yaml"), e2eimage.CreateNamespace(), e2eimage.Diagnostics("artifacts"))
	Expect(err).NotTo(HaveOccurred())
	DeferCleanup(keepCoverage, up)
	return up.JSON()
}, func(text []byte) {
	var err error
	images, err = e2eimage.ParseImages(text)
	Expect(err).NotTo(HaveOccurred())
	suite = open()
}, NodeTimeout(10*time.Minute))

// open reads e2eimage.yaml, which is in the folder above. It connects to nothing yet.
func open() *e2eimage.Suite {
	GinkgoHelper()
	suite, err := e2eimage.Open(e2eimage.Options{
		Dir: "..", Reporter: progress.NewLines(GinkgoWriter, progress.Steps),
	}, "")
	Expect(err).NotTo(HaveOccurred())
	return suite
}

// What a failure leaves is kept while it is still there.
var _ = JustAfterEach(func(ctx SpecContext) {
	if CurrentSpecReport().Failed() {
		_, err := suite.Diagnose(ctx, errors.New(CurrentSpecReport().FailureMessage()), e2eimage.Diagnostics("artifacts"))
		Expect(err).NotTo(HaveOccurred())
	}
})
