package e2eimage

import (
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

func TestAnImageGoesThroughARegistryFromBuildToProof(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	id := b.builds("datastorage", "first")
	loaded, err := b.client().Load(t.Context(), LoadInput{Suite: b.suite("suite", "datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	repository := b.host + "/team/datastorage"
	if one := loaded.Images[0]; one.Image != repository+":dev" || one.ImageID != id || one.Digest != b.stands(repository+":dev") || one.Digest == "" {
		t.Errorf("loaded: %+v", one)
	}
	b.since("")
	tagged, err := b.client().Tag(t.Context(), TagInput{Suite: b.suite("suite", "datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	one := tagged.Images[0]
	if !strings.HasPrefix(one.Image, repository+":suite-") || one.Digest != b.stands(one.Image) || !one.Changed || len(one.Nodes) > 0 {
		t.Errorf("tagged: %+v", one)
	}
	if puts := b.since("PUT "); len(puts) != 1 {
		t.Errorf("tagging is more than a PUT: %v", puts)
	}
	again, err := b.client().Tag(t.Context(), TagInput{Suite: b.suite("suite", "datastorage")})
	if err != nil || again.Images[0].Image != one.Image || again.Images[0].Changed || len(b.since("PUT ")) > 0 {
		t.Errorf("tagged again: %+v, %v", again, err)
	}
	b.deployment("datastorage")
	deployed, err := b.client().Deploy(t.Context(), DeployInput{Suite: b.suite("suite", "datastorage")})
	if err != nil {
		t.Fatal(err)
	}
	pinned := one.Image + "@" + one.Digest
	if len(deployed.Proved) != 2 || deployed.Proved[0].ImageID != id {
		t.Errorf("proved: %+v", deployed.Proved)
	}
	if diff := cmp.Diff([]string{pinned}, b.running()); diff != "" {
		t.Errorf("pods run (-want +got):\n%s", diff)
	}
	for _, suite := range []string{"here", "elsewhere"} {
		in := VerifyInput{Suite: b.suite("suite", "datastorage")}
		if suite == "elsewhere" {
			in.Suite = fromElsewhere("suite", "datastorage")
		}
		b.api.ClearActions()
		status, err := b.client().Verify(t.Context(), in)
		if err != nil || status.Images[0].Running != 2 || status.Images[0].Digest != one.Digest || status.Images[0].Registry != b.host+"/team" {
			t.Errorf("verified %s: %+v, %v", suite, status, err)
		}
	}
	ref, err := b.client().Ref(t.Context(), RefInput{Suite: b.suite("suite", "datastorage")})
	if err != nil || ref.Images[0].Image != pinned || ref.Images[0].Repository != repository || ref.Images[0].Digest != one.Digest {
		t.Errorf("ref: %+v, %v", ref, err)
	}
	cleaned, err := b.client().Clean(t.Context(), CleanInput{Suite: b.suite("suite", "datastorage"), Force: true})
	if err != nil || len(cleaned.Images[0].Removed) != 1 || !cleaned.Images[0].RecordRemoved || b.stands(one.Image) != "" {
		t.Errorf("cleaned: %+v, %v", cleaned, err)
	}
	if b.stands(repository+":dev") == "" {
		t.Error("the source's tag went, too")
	}
}

func TestTwoConsumersInOneRepositoryHaveTheirOwn(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	one := b.recorded("one", "datastorage", "first")
	two := b.recorded("two", "datastorage", "second")
	if one.Image == two.Image || one.Digest == two.Digest || b.stands(one.Image) != one.Digest || b.stands(two.Image) != two.Digest {
		t.Errorf("%+v\n%+v", one, two)
	}
}

func TestWhatTheLockPinsIsTaggedAlthoughAnotherLoadMovedTheSourcesTag(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	first := b.builds("datastorage", "first")
	suite := b.suite("one", "datastorage")
	suite.LockDir = t.TempDir()
	if _, err := b.client().Load(t.Context(), LoadInput{Suite: suite}); err != nil {
		t.Fatal(err)
	}
	b.builds("datastorage", "second")
	if _, err := b.client().Load(t.Context(), LoadInput{Suite: b.suite("two", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	b.builds("datastorage", "first")
	tagged, err := b.client().Tag(t.Context(), TagInput{Suite: suite})
	if err != nil || tagged.Images[0].ImageID != first || b.stands(tagged.Images[0].Image) != tagged.Images[0].Digest {
		t.Errorf("%+v, %v", tagged, err)
	}
}

func TestWhatIsNewerThanARecordInARegistryIsNoticed(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.recorded("suite", "datastorage", "first")
	b.deployment("datastorage")
	// The host is newer than the registry.
	b.builds("datastorage", "second")
	_, err := b.client().Deploy(t.Context(), DeployInput{Suite: b.suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "was rebuilt, but not loaded", "kubectl e2eimage load datastorage")
	_, err = b.client().Tag(t.Context(), TagInput{Suite: b.suite("suite", "datastorage")})
	is[*InconsistentError](t, err, "was rebuilt, but not loaded")
	// The registry is newer than the record.
	if _, err := b.client().Load(t.Context(), LoadInput{Suite: b.suite("suite", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	_, err = b.client().Deploy(t.Context(), DeployInput{Suite: fromElsewhere("suite", "datastorage")})
	is[*InconsistentError](t, err, "was loaded, but not tagged", "kubectl e2eimage tag datastorage", "--registry "+b.host+"/team")
}

func TestATagOfSomebodyElseIsNotOverwritten(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	other := b.recorded("other", "datastorage", "first")
	b.builds("datastorage", "second")
	suite := b.suite("suite", "datastorage")
	if _, err := b.client().Load(t.Context(), LoadInput{Suite: suite}); err != nil {
		t.Fatal(err)
	}
	// Of another record.
	_, suite.Images[0].Tag, _ = strings.Cut(strings.TrimPrefix(other.Image, b.host), ":")
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite})
	is[*InconsistentError](t, err, "choose another --tag", other.Image)
	// Of nobody.
	suite.Images[0].Tag = "v1"
	taken := b.host + "/team/datastorage:v1"
	b.pushes(taken, other.Image)
	was := b.stands(taken)
	_, err = b.client().Tag(t.Context(), TagInput{Suite: suite})
	is[*InconsistentError](t, err, "is another image already", "on registry "+b.host+"/team")
	if b.stands(taken) != was || b.stands(other.Image) != other.Digest || len(b.recordsOf("suite")) > 0 {
		t.Errorf("it was moved, or recorded: %v", b.recordsOf("suite"))
	}
}

func TestATagThatSomebodyMovedIsNoticedAndPutBack(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.deployment("datastorage")
	other := b.recorded("other", "datastorage", "second")
	ours := b.recorded("suite", "datastorage", "first")
	if _, err := b.client().Deploy(t.Context(), DeployInput{Suite: b.suite("suite", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	b.pushes(ours.Image, other.Image)
	_, err := b.client().Verify(t.Context(), VerifyInput{Suite: fromElsewhere("suite", "datastorage")})
	is[*DisagreementError](t, err, "somebody moved "+ours.Image, "kubectl e2eimage tag datastorage", "--registry "+b.host+"/team")
	_, err = b.client().Deploy(t.Context(), DeployInput{Suite: fromElsewhere("suite", "datastorage")})
	is[*InconsistentError](t, err, "instead of the recorded", "tag the right image")
	// Pods are pulled by digest all the while.
	if diff := cmp.Diff([]string{ours.Image + "@" + ours.Digest}, b.running()); diff != "" {
		t.Errorf("pods run (-want +got):\n%s", diff)
	}
	tagged, err := b.client().Tag(t.Context(), TagInput{Suite: b.suite("suite", "datastorage")})
	if err != nil || tagged.Images[0].Image != ours.Image || b.stands(ours.Image) != ours.Digest {
		t.Errorf("%+v, %v", tagged, err)
	}
	if _, err := b.client().Verify(t.Context(), VerifyInput{Suite: fromElsewhere("suite", "datastorage")}); err != nil {
		t.Error(err)
	}
}

func TestATagThatIsGoneIsPutBackByDeploy(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.deployment("datastorage")
	ours := b.recorded("suite", "datastorage", "first")
	b.deletes(ours.Image)
	if _, err := b.client().Deploy(t.Context(), DeployInput{Suite: fromElsewhere("suite", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	if words := b.words(); b.stands(ours.Image) != ours.Digest || !strings.Contains(words, "had lost "+ours.Image) {
		t.Errorf("it says %s", words)
	}
	// All of it is gone, and the host still has it.
	b.empties()
	if _, err := b.client().Deploy(t.Context(), DeployInput{Suite: fromElsewhere("suite", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	if b.stands(ours.Image) == "" {
		t.Errorf("it says %s", b.words())
	}
}

func TestARegistryThatKeepsTagsIsToldAndTheRecordGoes(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	ours := b.recorded("suite", "datastorage", "first")
	b.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodDelete {
			w.WriteHeader(http.StatusMethodNotAllowed)
		}
		return r.Method == http.MethodDelete
	})
	cleaned, err := b.client().Clean(t.Context(), CleanInput{Suite: b.suite("suite", "datastorage")})
	if err != nil || !cleaned.Images[0].RecordRemoved || len(b.recordsOf("suite")) > 0 {
		t.Errorf("%+v, %v", cleaned, err)
	}
	if words := b.words(); !strings.Contains(words, "does not let tags be taken away") || b.stands(ours.Image) == "" {
		t.Errorf("it says %s", words)
	}
}

func TestARegistryThatGoesDownLeavesNoHalfRecord(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.builds("datastorage", "first")
	down := func(method string) {
		b.failing(func(w http.ResponseWriter, r *http.Request) bool {
			if method == "" || r.Method == method {
				w.WriteHeader(http.StatusServiceUnavailable)
				return true
			}
			return false
		})
	}
	down("")
	_, err := b.client().Load(t.Context(), LoadInput{Suite: b.suite("suite", "datastorage")})
	says(t, err, "failed with status 503", "run again")
	if code := CodeOf(err); code != CodeRegistry {
		t.Errorf("its code is %s", code)
	}
	b.failing(nil)
	if _, err := b.client().Load(t.Context(), LoadInput{Suite: b.suite("suite", "datastorage")}); err != nil {
		t.Fatal(err)
	}
	down(http.MethodPut)
	_, err = b.client().Tag(t.Context(), TagInput{Suite: b.suite("suite", "datastorage")})
	says(t, err, "failed with status 503")
	if len(b.recordsOf("suite")) > 0 {
		t.Errorf("recorded: %v", b.recordsOf("suite"))
	}
	b.failing(nil)
	if tagged, err := b.client().Tag(t.Context(), TagInput{Suite: b.suite("suite", "datastorage")}); err != nil || b.stands(tagged.Images[0].Image) == "" {
		t.Errorf("%+v, %v", tagged, err)
	}
}

func TestUpTellsWhoMayNotPushBeforeItBuilds(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	suite, tree := b.built("suite", "datastorage")
	b.failing(func(w http.ResponseWriter, r *http.Request) bool {
		if r.Method == http.MethodPost {
			w.WriteHeader(http.StatusUnauthorized)
		}
		return r.Method == http.MethodPost
	})
	_, err := b.client().Up(t.Context(), UpInput{Suite: suite})
	says(t, err, "wants a login", "docker login "+b.host)
	if len(b.docker.Builds()) > 0 {
		t.Errorf("%s was built", tree)
	}
}

func TestUpThroughARegistryRepeatsNothing(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.deployment("datastorage")
	suite, tree := b.built("suite", "datastorage")
	first, err := b.client().Up(t.Context(), UpInput{Suite: suite})
	if err != nil {
		t.Fatal(err)
	}
	image := first.Images[0].Image
	if diff := cmp.Diff([]string{image}, b.running()); diff != "" || !strings.HasPrefix(image, b.host+"/team/datastorage:suite-") || !strings.Contains(image, "@sha256:") {
		t.Errorf("%s (-want +got):\n%s", image, diff)
	}
	b.since("")
	again, err := b.client().Up(t.Context(), UpInput{Suite: suite})
	if err != nil || len(again.Built)+len(again.Loaded)+len(again.Tagged) > 0 || again.Images[0].Image != image || len(b.since("PUT ")) > 0 {
		t.Errorf("%+v, %v", again, err)
	}
	b.edit(tree, "second")
	changed, err := b.client().Up(t.Context(), UpInput{Suite: suite})
	if err != nil || changed.Images[0].Image == image {
		t.Fatalf("%+v, %v", changed, err)
	}
	if diff := cmp.Diff([]string{changed.Images[0].Image}, b.running()); diff != "" {
		t.Errorf("pods run (-want +got):\n%s", diff)
	}
	if _, err := b.client().Verify(t.Context(), VerifyInput{Suite: suite}); err != nil {
		t.Error(err)
	}
}

func TestAnAnnouncedRegistryIsUsedWhereThereIsNoKindCluster(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.builds("datastorage", "first")
	unsaid := b.suite("suite", "datastorage")
	unsaid.Registry = ""
	_, err := b.client().Load(t.Context(), LoadInput{Suite: unsaid})
	is[*UsageError](t, err, "which Kind cluster?", "--registry")
	b.announces("host: " + b.host + "\nhostFromContainerRuntime: nodes-registry:5000\n")
	loaded, err := b.client().Load(t.Context(), LoadInput{Suite: unsaid})
	if err != nil || loaded.Images[0].Image != "nodes-registry:5000/datastorage:dev" || b.stands(b.host+"/datastorage:dev") == "" {
		t.Fatalf("%+v, %v", loaded, err)
	}
	tagged, err := b.client().Tag(t.Context(), TagInput{Suite: unsaid})
	if err != nil || !strings.HasPrefix(tagged.Images[0].Image, "nodes-registry:5000/datastorage:suite-") {
		t.Fatalf("%+v, %v", tagged, err)
	}
	// The record tells how it was reached, also where nobody announces it any more.
	b.announces("")
	if status, err := b.client().Status(t.Context(), StatusInput{Suite: fromElsewhere("suite", "datastorage")}); err != nil || status.Images[0].State != StateConsistent {
		t.Errorf("%+v, %v", status, err)
	}
	unsaid.Registry = config.NoRegistry
	_, err = b.client().Load(t.Context(), LoadInput{Suite: unsaid})
	is[*UsageError](t, err, "which Kind cluster?")
}

func TestWhatGoesElsewhereIsRefusedOrLeftToTheNodes(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	b.builds("datastorage", "first")
	suite := b.suite("suite", "datastorage")
	suite.Images[0].Repository = "ghcr.io/team/datastorage"
	_, err := b.client().Tag(t.Context(), TagInput{Suite: suite})
	is[*UsageError](t, err, "datastorage", "ghcr.io/team/datastorage is not in the registry")
	suite = b.suite("suite")
	suite.Images = []config.Image{{Name: "postgres", External: "docker.io/library/postgres:16"}}
	loaded, err := b.client().Load(t.Context(), LoadInput{Suite: suite})
	if words := b.words(); err != nil || len(loaded.Images) > 0 || !strings.Contains(words, "nodes pull docker.io/library/postgres:16 themselves") {
		t.Errorf("%+v, %v: %s", loaded, err, words)
	}
}

func TestARecordOfNodesIsFollowedByOneOfTheRegistry(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	id := b.builds("datastorage", "first")
	set, err := b.client().kube(b.suite("suite", "datastorage"))
	if err != nil {
		t.Fatal(err)
	}
	wish := record.Wish{Name: "datastorage", ImageID: id, Image: "localhost/datastorage:suite-1"}
	if err := set.records.Update(t.Context(), namespace, "suite", func(s *record.Set) error {
		if _, err := s.Claim(wish, "run", ociimage.Repository); err != nil {
			return err
		}
		_, err := s.Complete(record.Fact{Name: wish.Name, Image: wish.Image, ImageID: id, Source: "localhost/datastorage:dev"})
		return err
	}); err != nil {
		t.Fatal(err)
	}
	ours := b.recorded("suite", "datastorage", "first")
	if !strings.HasPrefix(ours.Image, b.host+"/team/datastorage:suite-") || b.recordsOf("suite")["datastorage"] != ours.Image {
		t.Errorf("%+v, %v", ours, b.recordsOf("suite"))
	}
}

func TestAnArchiveAndAnIDGoIntoARegistry(t *testing.T) {
	t.Parallel()
	b := newRegistryBench(t)
	image := enginetest.NewImage("first")
	b.docker.Put("localhost/datastorage:dev", image)
	file := filepath.Join(t.TempDir(), "datastorage.tar")
	archive, err := os.Create(file)
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(image.Archive(archive, "localhost/datastorage:dev"), archive.Close()); err != nil {
		t.Fatal(err)
	}
	for _, source := range []string{"docker-archive:" + file, image.ID()} {
		suite := b.suite("suite", "datastorage")
		suite.Images[0].Source = source
		loaded, err := b.client().Load(t.Context(), LoadInput{Suite: suite})
		if want := b.host + "/team/datastorage:id-" + image.ID()[7:19]; err != nil || loaded.Images[0].Image != want {
			t.Errorf("%s: %+v, %v", source, loaded, err)
		}
		if tagged, err := b.client().Tag(t.Context(), TagInput{Suite: suite}); err != nil || tagged.Images[0].ImageID != image.ID() {
			t.Errorf("%s: %+v, %v", source, tagged, err)
		}
	}
}
