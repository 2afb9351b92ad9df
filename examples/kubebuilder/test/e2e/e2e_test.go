package e2e

import (
	"os/exec"
	"time"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"

	"github.com/e2eimage/kubectl-e2eimage/integrations/kubebuilder"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// projectImage is what the scaffold builds and loads under a tag of its own.
const projectImage = "example.com/project-v4:v0.0.1"

var _ = Describe("Manager", func() {
	It("runs the recorded image, and nothing else", func(ctx SpecContext) {
		status, err := suite.Verify(ctx)
		Expect(err).NotTo(HaveOccurred())
		Expect(status.Images).To(HaveLen(1))
		Expect(status.Images[0].Image).To(Equal(images.Image("controller")))
		Expect(status.Images[0].Running).To(Equal(1))
	}, SpecTimeout(2*time.Minute))

	It("can be loaded by the function of the scaffold, too", func(ctx SpecContext) {
		build := exec.CommandContext(ctx, "make", "docker-build", "IMG="+projectImage)
		build.Dir = "../.."
		out, err := build.CombinedOutput()
		Expect(err).NotTo(HaveOccurred(), string(out))
		Expect(kubebuilder.LoadImageToKindClusterWithName(projectImage)).To(Succeed())
		err = kubebuilder.LoadImage(ctx, "example.com/nobody-built-this:v1")
		Expect(e2eimage.CodeOf(err)).To(Equal(e2eimage.CodeSource))
	}, SpecTimeout(5*time.Minute))
})
