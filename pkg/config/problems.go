package config

import (
	"fmt"
	"slices"
	"strings"
)

// UsageError is everything that is wrong with file, environment and flags.
type UsageError struct {
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

// problems collects mistakes, so that all come at once.
type problems struct{ all []Problem }

func (p *problems) add(where, format string, args ...any) {
	problem := Problem{Where: where, What: fmt.Sprintf(format, args...)}
	if !slices.Contains(p.all, problem) {
		p.all = append(p.all, problem)
	}
}

func (p *problems) err() error {
	if len(p.all) == 0 {
		return nil
	}
	return &UsageError{Problems: p.all}
}

// didYouMean suggests the known word that is nearest to a mistyped one.
func didYouMean(word string, known []string) string {
	best, nearest := 3, ""
	for _, candidate := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < best {
			best, nearest = d, candidate
		}
	}
	if nearest == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", nearest)
}

// distance is Levenshtein's: how many letters to insert, remove or replace.
func distance(a, b string) int {
	row := make([]int, len(b)+1)
	for j := range row {
		row[j] = j
	}
	for i := range len(a) {
		diagonal := row[0]
		row[0] = i + 1
		for j := range len(b) {
			cost := diagonal
			if a[i] != b[j] {
				cost++
			}
			diagonal = row[j+1]
			row[j+1] = min(cost, row[j]+1, row[j+1]+1)
		}
	}
	return row[len(b)]
}
