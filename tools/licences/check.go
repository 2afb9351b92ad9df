package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/google/licensecheck"
)

// licenceFile is how files with a licence are called.
var licenceFile = regexp.MustCompile(`(?i)^(licen[cs]e|copying|unlicense)([-._].*)?$`)

// notLinked tells whether a file that is called so is for something that no program has:
// tests of licences, or documentation.
func notLinked(name string) bool {
	return strings.HasSuffix(name, ".go") || name == "LICENSE.docs"
}

// enough of a file has to be text of licences, in percent. The rest is names of authors.
const enough = 75

// check returns the licences of a module, and what is wrong with them.
func check(m module) (found []string, problem string) {
	for _, folder := range m.folders {
		entries, err := os.ReadDir(folder)
		if err != nil {
			return found, err.Error()
		}
		for _, entry := range entries {
			if entry.IsDir() || !licenceFile.MatchString(entry.Name()) || notLinked(entry.Name()) {
				continue
			}
			text, err := os.ReadFile(filepath.Join(folder, entry.Name()))
			if err != nil {
				return found, err.Error()
			}
			names, wrong := read(text)
			if wrong != "" {
				return found, entry.Name() + " " + wrong
			}
			found = append(found, names...)
		}
	}
	if len(found) == 0 {
		return found, "no file with a licence"
	}
	slices.Sort(found)
	return slices.Compact(found), ""
}

// read tells which licences a text has, and what is wrong with them.
func read(text []byte) (names []string, problem string) {
	coverage := licensecheck.Scan(text)
	for _, match := range coverage.Match {
		// One that is only pointed to is somebody else's, or stands elsewhere as a whole.
		if match.IsURL {
			continue
		}
		if !slices.Contains(allowed, match.ID) {
			return nil, "has " + match.ID
		}
		names = append(names, match.ID)
	}
	if len(names) == 0 || coverage.Percent < enough {
		return nil, fmt.Sprintf("is no licence that is known: %.0f %% of it are", coverage.Percent)
	}
	return names, ""
}
