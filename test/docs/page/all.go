package page

import (
	"errors"
	"path/filepath"
	"slices"
)

// All are README.md and the pages of docs, of the repository at root.
func All(root string) ([]*Page, error) {
	paths, err := filepath.Glob(filepath.Join(root, "docs", "*.md"))
	if err != nil {
		return nil, err
	}
	return readAll(root, append([]string{filepath.Join(root, "README.md")}, paths...))
}

// Others are what nobody runs: what GitHub wants at the top, and the reference.
func Others(root string) ([]*Page, error) {
	var paths []string
	for _, pattern := range []string{"*.md", "docs/*/*.md", ".github/*.md"} {
		found, err := filepath.Glob(filepath.Join(root, pattern))
		if err != nil {
			return nil, err
		}
		paths = append(paths, found...)
	}
	return readAll(root, slices.DeleteFunc(paths, func(path string) bool { return path == filepath.Join(root, "README.md") }))
}

// readAll tells all that is wrong with the pages at once.
func readAll(root string, paths []string) ([]*Page, error) {
	var pages []*Page
	var all []error
	for _, path := range paths {
		relative, err := filepath.Rel(root, path)
		if err == nil {
			var p *Page
			p, err = Read(root, relative)
			pages = append(pages, p)
		}
		all = append(all, err)
	}
	return pages, errors.Join(all...)
}
