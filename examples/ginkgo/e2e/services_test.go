package e2e

import (
	"fmt"
	"strings"

	. "github.com/onsi/ginkgo/v2"
	. "github.com/onsi/gomega"
)

var _ = Describe("datastorage", func() {
	for i := range 4 {
		It(fmt.Sprintf("keeps a record of process %d", i), func(ctx SpecContext) {
			name := fmt.Sprintf("records/of-%d", i)
			Expect(put(ctx, "datastorage", name, "a text")).To(Succeed())
			Expect(get(ctx, "datastorage", name)).To(Equal("a text"))
		})
	}

	It("says that there is no such record", func(ctx SpecContext) {
		_, err := get(ctx, "datastorage", "records/none")
		Expect(err).To(MatchError(ContainSubstring("there is no such record")))
	})
})

var _ = Describe("gateway", func() {
	It("finds the service of a path", func(ctx SpecContext) {
		Expect(get(ctx, "gateway", "?path=/records/a")).To(Equal("datastorage"))
	})

	It("knows no other", func(ctx SpecContext) {
		_, err := get(ctx, "gateway", "?path=/other")
		Expect(err).To(MatchError(ContainSubstring("no service answers /other")))
	})
})

var _ = Describe("the images", func() {
	It("are those that run, seen from every process", func(ctx SpecContext) {
		status, err := suite.Verify(ctx)
		Expect(err).NotTo(HaveOccurred())
		for _, image := range status.Images {
			Expect(image.Image).To(Equal(images.Image(image.Name)))
		}
		Expect(images.Image("gateway")).To(HavePrefix("localhost/gateway:" + images.Consumer + "-"))
		Expect(strings.Join(images.Env(), " ")).To(ContainSubstring("DATASTORAGE_TAG="))
	})
})
