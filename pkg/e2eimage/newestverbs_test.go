package e2eimage

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/engine/enginetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// carryOut does a step and notes what it made.
func (w *world) carryOut(one newesttest.Step, s *suiteInWorld) error {
	switch one.Do {
	case newesttest.Edits:
		w.edit(s, fmt.Sprintf("v%d", one.Number))
		return nil
	case newesttest.BuildsPast:
		return w.buildPast(s)
	case newesttest.Imports:
		return w.importPast(s)
	case newesttest.LosesLock:
		w.known.Lost(one.Suite)
		return os.RemoveAll(filepath.Join(s.lockDir(), s.consumer+".lock.yaml"))
	case newesttest.Builds, newesttest.BuildsExactly, newesttest.Ups, newesttest.UpsOnly:
		return w.build(one, s)
	case newesttest.Loads, newesttest.LoadsAndLeaves:
		return w.load(one, s)
	}
	return w.other(one, s)
}

// buildPast is the engine's own build, or whatever else replaces the source.
func (w *world) buildPast(s *suiteInWorld) error {
	switch w.Origin {
	case newesttest.ByArchive, newesttest.ByPrebuilt:
		id, err := w.archived(s)
		w.known.BuiltPast(s.archive, id)
		return err
	case newesttest.ByNodes:
		return w.importPast(s)
	case newesttest.ByBuild, newesttest.ByCommand, newesttest.ByEngine:
	}
	id, err := w.engines[0].Build(s.tree, s.source)
	w.known.BuiltPast(s.source, id)
	return err
}

// importPast is `kind load` of what the host has under the source's name, else of what
// was built elsewhere.
func (w *world) importPast(s *suiteInWorld) error {
	if id := w.engines[0].Has(s.source); id != "" {
		w.cluster.Load(s.source, id)
		w.known.Carried(s.source, s.source)
		return nil
	}
	id, err := treeImage(s.tree)
	w.cluster.Load(s.source, id)
	w.known.Imported(s.source, id)
	return err
}

// treeImage is the image ID that a build of a folder makes.
func treeImage(tree string) (string, error) {
	content, err := enginetest.ContentOf(tree)
	return enginetest.NewImage(content).ID(), err
}

// build carries out what builds, and notes which content that was.
func (w *world) build(one newesttest.Step, s *suiteInWorld) error {
	suite, before := w.suite(s), len(w.engines[0].Builds())
	var err error
	switch one.Do {
	case newesttest.BuildsExactly:
		suite.Images[0].Tag = "v1"
		fallthrough
	case newesttest.Builds:
		_, err = w.process().Build(w.t.Context(), BuildInput{Suite: suite})
	default:
		_, err = w.process().Up(w.t.Context(), UpInput{Suite: suite, SkipBuild: one.Do == newesttest.UpsOnly})
	}
	built := w.engines[0].Builds()[before:]
	for _, made := range built {
		under := ""
		if w.engines[0].Has(s.source) == made.ImageID {
			under = s.source
		}
		w.known.Built(one.Suite, under, made.ImageID)
	}
	switch {
	case err != nil || len(built) > 0:
	case one.Do != newesttest.UpsOnly && w.takesArchive(s):
		w.known.Adopted(one.Suite, w.known.OnHost(s.archive))
	case one.Do != newesttest.UpsOnly && suite.Images[0].Build != nil:
		// It would have been the same.
		var id string
		id, err = treeImage(s.tree)
		w.known.Built(one.Suite, "", id)
	default:
		w.known.Loaded(one.Suite, w.onHost(s), w.under(one, s), s.source, w.takesArchive(s))
	}
	return err
}

func (w *world) load(one newesttest.Step, s *suiteInWorld) error {
	had := w.onHost(s)
	_, err := w.process().Load(w.t.Context(), LoadInput{Suite: w.suite(s), Release: one.Do == newesttest.LoadsAndLeaves})
	if err != nil {
		return err
	}
	w.known.Loaded(one.Suite, had, w.under(one, s), s.source, w.takesArchive(s))
	if w.engines[0].Has(s.source) == "" {
		w.known.Released(s.source)
	}
	return nil
}

// other carries out what takes no content from the source.
func (w *world) other(one newesttest.Step, s *suiteInWorld) error {
	suite, ctx, client := w.suite(s), w.t.Context(), w.process()
	switch one.Do {
	case newesttest.TagsElsewhere, newesttest.DeploysElsewhere, newesttest.VerifiesElsewhere:
		suite = w.elsewhere(s)
	case newesttest.TagsExactly:
		suite.Images[0].Tag = "v1"
	}
	switch one.Do {
	case newesttest.Tags, newesttest.TagsElsewhere, newesttest.TagsExactly:
		_, err := client.Tag(ctx, TagInput{Suite: suite})
		return err
	case newesttest.TagsByLock:
		_, err := client.Tag(ctx, TagInput{Suite: suite, Use: UseLock})
		return err
	case newesttest.Deploys, newesttest.DeploysElsewhere:
		_, err := client.Deploy(ctx, DeployInput{Suite: suite})
		return err
	case newesttest.DeploysCluster:
		_, err := client.Deploy(ctx, DeployInput{Suite: suite, Use: UseCluster})
		if err == nil {
			err = w.decide(one, s)
		}
		return err
	case newesttest.Verifies, newesttest.VerifiesElsewhere:
		_, err := client.Verify(ctx, VerifyInput{Suite: suite})
		return err
	}
	return fmt.Errorf("unknown step %q", one.Do)
}

// decide: the user has said that the cluster is right.
func (w *world) decide(one newesttest.Step, s *suiteInWorld) error {
	set, err := record.NewStore(w.bench.api.CoreV1()).Get(w.t.Context(), namespace, s.consumer)
	if err != nil {
		return err
	}
	evidence, err := set.Entry("datastorage")
	if err == nil && w.known.Own(one.Suite) != evidence.ImageID {
		w.known.Decided(one.Suite, evidence.ImageID)
	}
	return err
}
