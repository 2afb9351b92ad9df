package config

import "testing"

func TestAHelmKeyIsAboutAnImageOfItsSuite(t *testing.T) {
	t.Parallel()
	const suite = twoImages + "suites:\n- consumer: one\n  images: [a]\n  helm:\n    a.image: '{{.Image}}'\n    b.enabled: 'false'\n"
	if _, err := Resolve(Flags{}, nil, workplace(t, suite)); err != nil {
		t.Error(err)
	}
	refused(t, Flags{}, nil, suite+"    b.image.tag: '{{.Tag}}'\n    'b[0].image': 'x/{{.Image}}'\n",
		`e2eimage.yaml:12: suites[0].helm.b.image.tag: uses "b", which is not an image of the suite: the chart would get another image`,
		`e2eimage.yaml:13: suites[0].helm."b[0].image": uses "b", which is not an image of the suite: the chart would get another image`)
}
