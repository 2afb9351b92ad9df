package e2eimage

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
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

func TestAnArchiveThatCameAfterABuildIsNotPassedOver(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name string
		// content of the archive that is there once the build is deployed.
		content string
		wanted  config.Prebuilt
		// builtLater is set where the build came after the archive.
		builtLater, stale bool
	}{
		{"another image is newer than what runs", "v1", config.PrebuiltPrefer, false, true},
		{"the same image is nothing new", "v0", config.PrebuiltPrefer, false, false},
		{"one that nobody wants is nothing new", "v1", config.PrebuiltIgnore, false, false},
		{"one of before the build was not wanted then", "v1", config.PrebuiltPrefer, true, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, newesttest.Traits{Origin: newesttest.ByPrebuilt, Engine: "podman", Nodes: 1, Suites: 1, Locked: true}, newCA(t))
			s := w.suites[0]
			w.edit(s, "v0")
			for _, do := range []newesttest.Verb{newesttest.Builds, newesttest.Loads, newesttest.Tags, newesttest.Deploys, newesttest.Verifies} {
				if err := w.carryOut(newesttest.Step{Do: do}, s); err != nil {
					t.Fatalf("%s: %v", do, err)
				}
			}
			w.edit(s, test.content)
			if _, err := w.archived(s); err != nil {
				t.Fatal(err)
			}
			if test.builtLater {
				file := lock.NewFile(filepath.Join(s.lockDir(), s.consumer+".lock.yaml"), s.consumer, "here")
				err := file.Update(t.Context(), func(locked *lock.Lock) error {
					later := metav1.NewTime(time.Now().Add(time.Minute))
					locked.Images["datastorage"].Built = &later
					return nil
				})
				if err != nil {
					t.Fatal(err)
				}
			}
			suite := w.suite(s)
			suite.Prebuilt = test.wanted
			_, err := w.process().Verify(t.Context(), VerifyInput{Suite: suite})
			if as[*InconsistentError](err) != test.stale {
				t.Errorf("verify: %v", err)
			}
			_, err = w.process().Deploy(t.Context(), DeployInput{Suite: suite})
			if as[*InconsistentError](err) != test.stale || test.stale && !strings.Contains(err.Error(), "adopt it: kubectl e2eimage build") {
				t.Errorf("deploy: %v", err)
			}
		})
	}
}
