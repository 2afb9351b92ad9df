package e2eimage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
)

// violation is what must not be.
type violation struct {
	at   int
	text string
}

// play carries a sequence out, up to the first violation.
func (w *world) play(steps []newesttest.Step, count func(int, error)) *violation {
	for i, one := range steps {
		if one.Later {
			time.Sleep(time.Minute) // in synctest's bubble its clock jumps: nobody waits
		}
		s := w.suites[one.Suite]
		err := w.carryOut(one, s)
		words := w.words()
		if count != nil {
			count(i, err)
		}
		if err := w.bench.api.Settle(); err != nil {
			return &violation{i, "the fake API server: " + err.Error()}
		}
		if text := w.check(one, s, err, words); text != "" {
			return &violation{i, fmt.Sprintf("%s\nit said:\n  %s\nerror: %v", text, strings.Join(words, "\n  "), err)}
		}
	}
	return nil
}

// check holds what pods run against what is newest.
func (w *world) check(one newesttest.Step, s *suiteInWorld, err error, words []string) string {
	if err != nil {
		return ""
	}
	switch one.Do {
	case newesttest.Deploys, newesttest.DeploysCluster, newesttest.DeploysElsewhere, newesttest.Ups, newesttest.UpsOnly:
		s.deployed = true
	case newesttest.Verifies, newesttest.VerifiesElsewhere:
		if !s.deployed {
			return ""
		}
	default:
		return ""
	}
	right, runs := w.known.Right(one.Suite, w.under(one, s), s.source), w.runs(s)
	if len(runs) == 1 && slices.Contains(right, runs[0]) {
		return ""
	}
	if slices.ContainsFunc(words, newesttest.Told) {
		return ""
	}
	return fmt.Sprintf("it ended well, and the pods run %s, but the newest is %s", w.contents(runs), w.contents(right))
}

// contents are image IDs for people.
func (w *world) contents(ids []string) string {
	texts := []string{}
	for _, id := range ids {
		texts = append(texts, w.content(id))
	}
	return strings.Join(texts, " or ")
}

// under is what the model knows the suite's source by.
func (w *world) under(one newesttest.Step, s *suiteInWorld) string {
	if w.Origin == newesttest.ByArchive || w.takesArchive(s) && w.known.Archived(one.Suite) {
		return s.archive
	}
	return s.source
}
