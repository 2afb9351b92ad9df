// Package nearest finds the word that somebody meant who mistyped it. It must not know what
// the words are for.
package nearest

import "strings"

const (
	// maxKnown bounds the words that a mistyped one is compared with: among more a
	// suggestion helps little and costs much.
	maxKnown = 200
	// tooFar is where words stop to be alike.
	tooFar = 3
)

// Word is the known word that is nearest to a mistyped one, "" where none is near.
func Word(word string, known []string) string {
	if len(known) > maxKnown || len(word) > maxKnown {
		return ""
	}
	best, nearest := tooFar, ""
	for _, candidate := range known {
		if apart := Distance(strings.ToLower(word), strings.ToLower(candidate)); apart < best && apart < len(candidate) {
			best, nearest = apart, candidate
		}
	}
	return nearest
}

// Distance is Levenshtein's: how many letters to insert, remove or replace.
func Distance(a, b string) int {
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
