package e2eimage

import (
	"encoding/json"
	"slices"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func recordedTwo() *Images {
	return &Images{Consumer: "suite", Namespace: namespace, From: UseCluster, Images: []Ref{
		{Name: "data-storage", Image: "localhost/data-storage:t1", Repository: "localhost/data-storage", Tag: "t1", ImageID: imageID, Source: "localhost/src:dev"},
		{Name: "2nd", Image: "localhost/2nd:t2", Repository: "localhost/2nd", Tag: "t2", ImageID: otherID},
	}}
}

func TestImagesTravelBetweenProcesses(t *testing.T) {
	t.Parallel()
	s := suite("suite", "data-storage", "2nd")
	s.Helm = map[string]string{"data-storage.image": "{{.Image}}", "2nd.tag": "{{.Tag}}", "by": "{{.User}}"}
	here := recordedTwo().With(s, config.TemplateValues{User: "somebody else"})
	there, err := ParseImages(here.JSON())
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(here, there, cmp.AllowUnexported(Images{}), cmpopts.IgnoreUnexported(textError{})); diff != "" {
		t.Errorf("(-here +there):\n%s", diff)
	}
	arguments, err := there.HelmArgs()
	want := []string{"--set-string", "2nd.tag=t2", "--set-json", `by="somebody\u0020else"`, "--set-string", "data-storage.image=localhost/data-storage:t1"}
	if diff := cmp.Diff(want, arguments); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if values, err := there.HelmValues(); err != nil || values["2nd.tag"] != "t2" || len(values) != 3 {
		t.Errorf("values %v, %v", values, err)
	}
	if block, err := there.Kustomize(); err != nil || block[0] != (KustomizeImage{Name: "localhost/src", NewName: "localhost/data-storage", NewTag: "t1"}) {
		t.Errorf("block %v, %v", block, err)
	}
	if image, err := there.Get("2nd"); err != nil || image.ImageID != otherID || there.Image("2nd") != image.Image {
		t.Errorf("%+v, %v", image, err)
	}
}

func TestWhatImagesCannotTellIsSaidInBothProcesses(t *testing.T) {
	t.Parallel()
	s := suite("suite", "data-storage", "2nd")
	s.Images[1].Source, s.Helm = "localhost/src:dev", map[string]string{"tag": "{{.Tag}}"}
	two := recordedTwo()
	two.Images[1].Source = "localhost/src:dev"
	here := two.With(s, config.TemplateValues{})
	there, err := ParseImages(here.JSON())
	if err != nil {
		t.Fatal(err)
	}
	for _, images := range []*Images{here, there} {
		_, err := images.HelmArgs()
		is[*InconsistentError](t, err, "helm key tag would get several values")
		_, err = images.Kustomize()
		is[*InconsistentError](t, err, "Kustomize cannot tell them apart")
	}
	_, err = recordedTwo().HelmArgs()
	says(t, err, "Images.With")
	no := recordedTwo().With(suite("suite"), config.TemplateValues{})
	there, err = ParseImages(no.JSON())
	if err != nil {
		t.Fatal(err)
	}
	_, err = there.HelmValues()
	is[*UsageError](t, err, "helm: block")
}

func TestAnImageThatIsNotThereIsNotRecorded(t *testing.T) {
	t.Parallel()
	_, err := recordedTwo().Get("datastorage")
	says(t, err, `no image "datastorage"`, `did you mean "data-storage"?`)
	if CodeOf(err) != CodeNotRecorded || recordedTwo().Image("datastorage") != "" {
		t.Errorf("code %s", CodeOf(err))
	}
}

func TestImagesAsVariables(t *testing.T) {
	t.Parallel()
	want := []string{
		"DATA_STORAGE_IMAGE=localhost/data-storage:t1", "DATA_STORAGE_REPOSITORY=localhost/data-storage", "DATA_STORAGE_TAG=t1", "DATA_STORAGE_ID=" + imageID,
		"_2ND_IMAGE=localhost/2nd:t2", "_2ND_REPOSITORY=localhost/2nd", "_2ND_TAG=t2", "_2ND_ID=" + otherID,
	}
	if got := recordedTwo().Env(); !slices.Equal(got, want) {
		t.Errorf("%q", got)
	}
}

func TestOnlyImagesAreParsed(t *testing.T) {
	t.Parallel()
	for name, text := range map[string]string{
		"nothing": "", "no JSON": "datastorage", "something else": `{"a":"b"}`, "an image without a name": `{"images":[{"image":"x"}]}`,
	} {
		_, err := ParseImages([]byte(text))
		if !as[*UsageError](err) {
			t.Errorf("%s: %v", name, err)
		}
	}
	// What the command prints with -o json is the same without what other tools are told.
	text, err := json.Marshal(recordedTwo())
	if err != nil {
		t.Fatal(err)
	}
	if images, err := ParseImages(text); err != nil || images.Image("2nd") != "localhost/2nd:t2" {
		t.Errorf("%v, %v", images, err)
	}
}
