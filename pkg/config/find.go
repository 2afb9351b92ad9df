package config

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
)

// fileName is what a config is called.
const fileName = "e2eimage.yaml"

// find returns the config file to use, "" for none: as asked, else the nearest
// one from dir upwards, but not beyond the root of the repository.
func find(asked string, askedBy place, dir string, found *problems) (path, shown string) {
	if asked != "" {
		path := absolute(dir, asked)
		if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
			found.add(askedBy, "no file %s", path)
			return "", ""
		}
		return path, asked
	}
	for at := dir; ; at = filepath.Dir(at) {
		path := filepath.Join(at, fileName)
		if _, err := os.Stat(path); err == nil {
			if shown, err := filepath.Rel(dir, path); err == nil {
				return path, shown
			}
			return path, path
		}
		if _, err := os.Stat(filepath.Join(at, ".git")); err == nil || at == filepath.Dir(at) {
			return "", ""
		}
		if !insideRepository(at) {
			return "", ""
		}
	}
}

// insideRepository tells whether some folder above at is a repository: without
// one, files above the working folder are none of our business.
func insideRepository(at string) bool {
	for parent := filepath.Dir(at); parent != at; at, parent = parent, filepath.Dir(parent) {
		if _, err := os.Stat(filepath.Join(parent, ".git")); err == nil {
			return true
		}
	}
	return false
}

func absolute(dir, path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(dir, path)
}

// absoluteSource makes the path in a source absolute.
func absoluteSource(dir, text string) string {
	source, err := ParseSource(text)
	if err != nil || !source.IsArchive() {
		return text
	}
	return fmt.Sprintf("%s:%s", source.Kind, absolute(dir, source.Value))
}
