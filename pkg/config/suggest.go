package config

import (
	"fmt"
	"strings"
)

// maxKnown bounds the words that a mistyped one is compared with: among more a
// suggestion helps little and costs much.
const maxKnown = 200

// didYouMean suggests the known word that is nearest to a mistyped one.
func didYouMean(word string, known []string) string {
	if len(known) > maxKnown || len(word) > maxKnown {
		return ""
	}
	best, nearest := 3, ""
	for _, candidate := range known {
		if d := distance(strings.ToLower(word), strings.ToLower(candidate)); d < best && d < len(candidate) {
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
