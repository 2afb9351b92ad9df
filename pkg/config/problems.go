package config

import (
	"cmp"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
)

// UsageError is everything that is wrong with file, environment and flags.
type UsageError struct {
	// Problems of the file come first, by line.
	Problems []Problem
}

// Problem is one mistake, and where it is.
type Problem struct {
	// Where is "e2eimage.yaml:12: images[0].name", a flag, a variable, or "".
	Where string
	What  string
}

func (p Problem) String() string {
	if p.Where == "" {
		return p.What
	}
	return p.Where + ": " + p.What
}

// Error gives one problem a line.
func (e *UsageError) Error() string {
	lines := make([]string, 0, len(e.Problems))
	for _, problem := range e.Problems {
		lines = append(lines, problem.String())
	}
	return strings.Join(lines, "\n")
}

// place is where a mistake is. Only places in a file have a line.
type place struct {
	where string
	line  int
}

// problems collects mistakes, so that all come at once.
type problems struct {
	all  []located
	seen map[Problem]bool
}

type located struct {
	Problem
	line int
}

func (p *problems) add(at place, format string, args ...any) {
	problem := Problem{Where: at.where, What: fmt.Sprintf(format, args...)}
	if p.seen[problem] {
		return
	}
	if p.seen == nil {
		p.seen = map[Problem]bool{}
	}
	p.seen[problem] = true
	p.all = append(p.all, located{problem, at.line})
}

// sortByLine puts what was found so far into the order of the file.
func (p *problems) sortByLine() {
	slices.SortStableFunc(p.all, func(a, b located) int { return cmp.Compare(a.line, b.line) })
}

func (p *problems) err() error {
	if len(p.all) == 0 {
		return nil
	}
	err := &UsageError{}
	for _, one := range p.all {
		err.Problems = append(err.Problems, one.Problem)
	}
	return err
}

// quote makes foreign text harmless, and short enough for a message.
func quote(text string) string {
	const most = 100
	quoted := fmt.Sprintf("%.*q", most, text)
	if len([]rune(text)) > most {
		return quoted + "…"
	}
	return quoted
}

// harmless is for messages of libraries that repeat foreign text as it is.
func harmless(err error) string { return foreign.Line(err.Error()) }

// didYouMean suggests the known word that is nearest to a mistyped one.
func didYouMean(word string, known []string) string {
	near := nearest.Word(word, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
