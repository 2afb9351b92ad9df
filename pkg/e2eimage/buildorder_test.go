package e2eimage

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestWhatAnImageIsBuiltOnIsBuiltFirst(t *testing.T) {
	t.Parallel()
	for name, dockerfile := range map[string]string{
		"by its source":               "FROM localhost/zero:dev\n",
		"by podman's short name":      "FROM zero:dev\n",
		"through an argument":         "ARG TAG=dev\nARG BASE=localhost/zero:$TAG\nFROM $BASE\n",
		"by what is copied":           "FROM scratch\nCOPY --from=localhost/zero:dev /a /\n",
		"by what is mounted":          "FROM scratch\nRUN --mount=from=localhost/zero:dev,target=/a x\n",
		"in a stage that is not used": "FROM localhost/zero:dev AS tests\nFROM scratch\n",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			h := newHost(t, map[string]string{"app": dockerfile, "zero": "FROM scratch\n", "web": "FROM localhost/app:dev\n"})
			built, err := h.build()
			if want := []string{"zero", "app", "web"}; err != nil || !slices.Equal(built, want) {
				t.Errorf("built %v, want %v: %v", built, want, err)
			}
			if again := h.up(); len(again) > 0 {
				t.Errorf("nothing changed, but built are %v", again)
			}
		})
	}
}

func TestWhatIsBuiltOnAnImageIsBuiltAgainWithIt(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/zero:dev\n", "other": "FROM scratch\n", "zero": "FROM scratch\n"})
	if built, err := h.build(); err != nil || len(built) != 3 {
		t.Fatal(built, err)
	}
	before := h.lock().Images["app"].ImageID
	h.write("zero/file", "second")
	if built := h.up(); !slices.Equal(built, []string{"zero", "app"}) {
		t.Errorf("built %v", built)
	}
	if h.lock().Images["app"].ImageID == before {
		t.Error("it is the image of before")
	}
	if built := h.up(); len(built) > 0 {
		t.Errorf("nothing changed, but built are %v", built)
	}
}

func TestADryRunSaysWhatWouldBeBuiltOnWhatChanged(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/zero:dev\n", "other": "FROM scratch\n", "zero": "FROM scratch\n"})
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	h.write("zero/file", "second")
	result, err := h.client().Build(t.Context(), BuildInput{Suite: h.suite, DryRun: true})
	if err != nil {
		t.Fatal(err)
	}
	changed := map[string]bool{}
	for _, image := range result.Images {
		changed[image.Name] = image.Changed
		// No name that will not exist.
		if drawn := "localhost/" + image.Name + ":suite-<random>"; image.Changed != (image.Image == "") || image.Changed != (image.Planned == drawn) {
			t.Errorf("%s is %q, planned is %q", image.Name, image.Image, image.Planned)
		}
	}
	if diff := cmp.Diff(map[string]bool{"app": true, "other": false, "zero": true}, changed); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

func TestImagesThatAreBuiltOnEachOtherAreNamed(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/web:dev\n", "web": "FROM localhost/zero:dev\n", "zero": "FROM localhost/app:dev\n"})
	_, err := h.build()
	is[*UsageError](t, err, "app is built on web, web is built on zero, zero is built on app")
	if _, err := h.client().Up(t.Context(), UpInput{Suite: h.suite}); !as[*UsageError](err) {
		t.Errorf("up says %v", err)
	}
}

// BuildKit builds only what the target needs.
func TestStagesThatAreNotNeededMakeNoCircle(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM scratch\n", "zero": "FROM localhost/app:dev\n"})
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	h.write("app/Dockerfile", "FROM localhost/zero:dev AS tests\nFROM scratch\n")
	if built, err := h.build(); err != nil || !slices.Equal(built, []string{"app", "zero"}) {
		t.Errorf("built %v: %v", built, err)
	}
}

func TestWhatIsBuiltOnAnImageThatFailedIsNot(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/zero:dev\n", "other": "FROM scratch\n", "zero": "FROM localhost/none:none\n"})
	built, err := h.build()
	says(t, err, "zero: the build by podman", "app: not built, since it is built on zero")
	if !slices.Equal(built, []string{"other"}) {
		t.Errorf("built %v", built)
	}
}

func TestImagesThatAreBuiltOnOthersDoNotWaitForTurns(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/web:dev\n", "web": "FROM localhost/zero:dev\n", "zero": "FROM scratch\n"})
	if _, err := h.client().Build(t.Context(), BuildInput{Suite: h.suite, Parallel: 1}); err != nil {
		t.Error(err)
	}
}

func TestAnImageThatIsBuiltOnWhatItWasBeforeIsNoCircle(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/app:dev\n"})
	h.names["localhost/app:dev"] = imageID
	h.names[imageID] = imageID
	if built, err := h.build(); err != nil || len(built) != 1 {
		t.Fatal(built, err)
	}
	// Built again it is another image.
	if built := h.up(); len(built) != 1 {
		t.Errorf("built %v", built)
	}
}

func TestLocalImagesOfOthersThatAnImageIsBuiltOn(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/theirs:1\n"})
	h.names["localhost/theirs:1"] = imageID
	h.names[imageID], h.names[otherID] = imageID, otherID
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	if built := h.up(); len(built) > 0 {
		t.Errorf("nothing changed, but built are %v", built)
	}
	h.names["localhost/theirs:1"] = otherID
	if built := h.up(); len(built) != 1 {
		t.Error("its base is another, but it is not built")
	}
	if built := h.up(); len(built) > 0 {
		t.Errorf("nothing changed, but built are %v", built)
	}
}

func TestAnImageThatABuildPullsIsTheOneThatItIsBuiltOn(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM docker.io/library/go:1\n"})
	h.pulls["docker.io/library/go:1"] = imageID
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	if built := h.up(); len(built) > 0 {
		t.Errorf("nothing changed, but built are %v", built)
	}
	delete(h.names, "docker.io/library/go:1")
	h.pulls["docker.io/library/go:1"] = otherID
	if built := h.up(); len(built) != 1 {
		t.Error("its base is gone, but it is not built")
	}
}

func TestABaseThatIsNewerIsSaidBeforeADeployment(t *testing.T) {
	t.Parallel()
	h := newHost(t, map[string]string{"app": "FROM localhost/theirs:1\n"})
	h.names["localhost/theirs:1"] = imageID
	h.names[imageID], h.names[otherID] = imageID, otherID
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	check := func(freshness config.Freshness) error {
		h.suite.Freshness = freshness
		lock, err := h.client().openLock(h.suite, "suite")
		if err == nil {
			h.said.Reset()
			image := *h.image("app")
			err = h.client().checkTree(t.Context(), image, lock.entry(image, ""), lock, h.suite)
		}
		return err
	}
	if err := check(config.FreshnessStrict); err != nil {
		t.Error(err)
	}
	h.names["localhost/theirs:1"] = otherID
	says(t, check(config.FreshnessStrict), "app: its base image localhost/theirs:1 changed since it was built", "kubectl e2eimage build app")
	if err := check(config.FreshnessWarn); err != nil || !strings.Contains(h.said.String(), "its base image localhost/theirs:1 changed") {
		t.Errorf("%v; it says %s", err, h.said.String())
	}
	delete(h.names, "localhost/theirs:1")
	if err := check(config.FreshnessStrict); err != nil {
		t.Errorf("what is gone is not newer: %v", err)
	}
}
