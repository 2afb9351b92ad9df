package config

import (
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
)

// didYouMean suggests the known word that is nearest to a mistyped one.
func didYouMean(word string, known []string) string {
	near := nearest.Word(word, known)
	if near == "" {
		return ""
	}
	return fmt.Sprintf("; did you mean %q?", near)
}
