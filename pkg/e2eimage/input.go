package e2eimage

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// mistakes are all that is wrong with what a verb is given. A suite may be made by hand,
// and words are no more than text: each verb checks them before it does anything.
type mistakes struct{ all []error }

func (m *mistakes) add(err error) {
	if err != nil {
		m.all = append(m.all, err)
	}
}

// of adds what a check of a suite found, where the suite's fields are those of something
// else, such as Options.
func (m *mistakes) of(owner string, err error) {
	var found *config.UsageError
	if !errors.As(err, &found) {
		m.add(err)
		return
	}
	renamed := &config.UsageError{}
	for _, problem := range found.Problems {
		if field, ours := strings.CutPrefix(problem.Where, "Suite."); ours {
			problem.Where = owner + "." + field
		}
		renamed.Problems = append(renamed.Problems, problem)
	}
	m.add(renamed)
}

func (m *mistakes) wrong(field, format string, args ...any) {
	m.add(fmt.Errorf("%s "+format, append([]any{field}, args...)...))
}

// suite checks a suite, and that what the verb needs of it could be filled in.
func (m *mistakes) suite(suite config.Suite, needs ...config.Field) {
	m.add(suite.Check())
	m.add(suite.Need(needs...))
}

// images is suite for verbs that do nothing without images.
func (m *mistakes) images(suite config.Suite, needs ...config.Field) {
	m.suite(suite, needs...)
	if len(suite.Images) == 0 {
		m.wrong("Suite.Images", "is empty; say which images")
	}
}

// word checks one of several words, "" for its default.
func word[T ~string](m *mistakes, field string, said T, known ...T) {
	if said != "" && !slices.Contains(known, said) {
		m.wrong(field, "%q is not known; it is one of %q", said, known)
	}
}

// input is what a verb is given.
type input interface{ check(*mistakes) }

func (in BuildInput) check(m *mistakes) {
	m.images(in.Suite, config.FieldSource, config.FieldRepository)
}

func (in LoadInput) check(m *mistakes) {
	m.images(in.Suite, config.FieldSource)
	if in.Release && len(in.Nodes) > 0 {
		m.wrong("Release", "takes the image from the engine once every node has it; leave Nodes out")
	}
}

func (in TagInput) check(m *mistakes) {
	m.images(in.Suite, config.FieldSource, config.FieldRepository)
	word(m, "Use", in.Use, UseLock, UseCluster)
}

func (in DeployInput) check(m *mistakes) {
	m.images(in.Suite)
	m.waitFor(in.Suite)
	word(m, "Use", in.Use, UseLock, UseCluster)
	word(m, "DryRun", in.DryRun, DryRunNone, DryRunClient, DryRunServer)
}

func (in UpInput) check(m *mistakes) {
	m.images(in.Suite, config.FieldSource, config.FieldRepository)
	m.waitFor(in.Suite)
	word(m, "Use", in.Use, UseLock, UseCluster)
}

func (in RefInput) check(m *mistakes) {
	m.images(in.Suite)
	word(m, "From", in.From, UseLock, UseCluster)
}

func (in RenderInput) check(m *mistakes) {
	m.images(in.Suite)
	word(m, "From", in.From, UseLock, UseCluster)
}

func (in StatusInput) check(m *mistakes) { m.suite(in.Suite) }

func (in VerifyInput) check(m *mistakes) {
	m.suite(in.Suite)
	m.waitFor(in.Suite)
}

func (in CleanInput) check(m *mistakes) {
	if in.Orphans || in.All {
		m.suite(in.Suite)
	} else {
		m.images(in.Suite)
	}
	if in.Orphans && in.All {
		m.wrong("All", "is about records, and Orphans about what has none; choose one")
	}
	word(m, "Scope", in.Scope, ScopeAll, ScopeCluster, ScopeHost)
	if in.Keep != nil && *in.Keep < 0 {
		m.wrong("Keep", "%d must be 0 or more", *in.Keep)
	}
}

func (in KnownInput) check(m *mistakes) {
	m.suite(in.Suite)
	if in.Of == "" {
		m.wrong("Of", "is empty; say what there are names of")
	}
	word(m, "Of", in.Of, KindImages, KindConsumers, KindNamespaces, KindWorkloads, KindNodes, KindHostImages)
}
