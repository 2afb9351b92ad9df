package e2eimage

import (
	"fmt"
	"regexp"

	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// kustomized builds a folder as kubectl does. shown is what errors call it.
func kustomized(folder, shown string) ([]Manifest, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy
	built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), folder)
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", shown, unquoted(err))
	}
	text, err := built.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", shown, err)
	}
	return []Manifest{{Name: shown, Text: text}}, nil
}

// unquoted is an error of kustomize's without the patches and literals that it quotes,
// which may be a Secret's.
func unquoted(err error) error {
	return foreign.Reworded(err, foreign.Masked(quotedByKustomize.ReplaceAllString(err.Error(), "…")))
}

var quotedByKustomize = regexp.MustCompile("(?s)`.*?`|from \\[.*\\]|literal sources \\[.*\\]: invalid literal " +
	"source .*?, ")
