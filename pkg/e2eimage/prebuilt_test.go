package e2eimage

import (
	"os"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
)

func TestARecordOfAnAdoptedArchiveNamesTheArchive(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name  string
		after func(*world, *suiteInWorld) error
		stale bool
	}{
		{"one that was replaced is seen from any folder", func(w *world, s *suiteInWorld) error {
			w.edit(s, "v1")
			return w.buildPast(s)
		}, true},
		{"one that is as it was is the same", func(*world, *suiteInWorld) error { return nil }, false},
		{"one that is gone, as the lock is, says nothing", func(_ *world, s *suiteInWorld) error {
			if err := os.RemoveAll(s.lockDir()); err != nil {
				return err
			}
			return os.Remove(s.archive)
		}, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, newesttest.Traits{Origin: newesttest.ByPrebuilt, Engine: "podman", Nodes: 1, Suites: 1, Locked: true}, newCA(t))
			s := w.suites[0]
			for _, do := range []newesttest.Verb{newesttest.BuildsPast, newesttest.Builds, newesttest.Loads, newesttest.Tags, newesttest.Deploys, newesttest.Verifies} {
				if err := w.carryOut(newesttest.Step{Do: do}, s); err != nil {
					t.Fatalf("%s: %v", do, err)
				}
			}
			if err := test.after(w, s); err != nil {
				t.Fatal(err)
			}
			for _, do := range []newesttest.Verb{newesttest.DeploysElsewhere, newesttest.VerifiesElsewhere, newesttest.Deploys, newesttest.Verifies} {
				if err := w.carryOut(newesttest.Step{Do: do}, s); as[*InconsistentError](err) != test.stale {
					t.Errorf("%s: %v", do, err)
				}
			}
		})
	}
}
