// Package artifacts writes a folder of files that explain a failure. What looks like a
// secret is masked in all of them. A part that cannot be had is noted and is no reason to
// stop. It must not know what the parts are.
package artifacts

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"

	"sigs.k8s.io/yaml"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

const (
	// maxBytes of all files together, and maxFile of one.
	maxBytes = 64 << 20
	maxFile  = 4 << 20
	// maxFolders bounds how often a name is tried that others have taken.
	maxFolders = 1000
)

// Folder is one that is being written. It is safe for concurrent use.
type Folder struct {
	// Path of the folder.
	Path string

	mu      sync.Mutex
	written int
	files   []string
	missing []Missing
}

// Missing is a part that is not in the folder.
type Missing struct{ Part, Why string }

// Create makes a folder of that name in dir, or name-2 and so on where others have it. What
// is there already stays as it is.
func Create(dir, name string) (*Folder, error) {
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	path := filepath.Join(dir, name)
	for i := 2; i <= maxFolders; i++ {
		err := os.Mkdir(path, 0o755)
		if err == nil {
			return &Folder{Path: path}, nil
		}
		if !errors.Is(err, fs.ErrExist) {
			return nil, err
		}
		path = fmt.Sprintf("%s-%d", filepath.Join(dir, name), i)
	}
	return nil, fmt.Errorf("%s has %d folders called %s", dir, maxFolders, name)
}

// Text writes a file. path is relative, with slashes.
func (f *Folder) Text(path, text string) { f.write(path, foreign.Masked(text)) }

// YAML writes an object.
func (f *Folder) YAML(path string, object any) {
	text, err := yaml.Marshal(object)
	if err != nil {
		f.Lack(path, err)
		return
	}
	f.write(path, quoted(foreign.Masked(string(text)), "'"))
}

// JSON writes an object.
func (f *Folder) JSON(path string, object any) {
	text, err := json.MarshalIndent(object, "", "  ")
	if err != nil {
		f.Lack(path, err)
		return
	}
	f.write(path, quoted(foreign.Masked(string(text)), `"`)+"\n")
}

// maskedValue is a value of JSON or YAML of which nothing is left, on its line.
var maskedValue = regexp.MustCompile(`(?m)((?:^|\s)(?:-|\S+:) )(\*{3})(,?)$`)

// quoted lets YAML and JSON stay such: to YAML a value that begins with * is an alias.
func quoted(text, quote string) string {
	return maskedValue.ReplaceAllString(text, "${1}"+quote+"${2}"+quote+"${3}")
}

func (f *Folder) write(path, text string) {
	if len(text) > maxFile {
		f.Lack(path, fmt.Errorf("only its end is there: it has %d MiB", len(text)>>20))
		text = text[len(text)-maxFile:]
	}
	f.mu.Lock()
	f.written += len(text)
	over := f.written > maxBytes
	f.mu.Unlock()
	if over {
		f.Lack(path, fmt.Errorf("the folder has %d MiB already", maxBytes>>20))
		return
	}
	full := filepath.Join(f.Path, filepath.FromSlash(path))
	err := os.MkdirAll(filepath.Dir(full), 0o755)
	if err == nil {
		err = os.WriteFile(full, []byte(text), 0o644)
	}
	if err != nil {
		f.Lack(path, err)
		return
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	f.files = append(f.files, path)
}

// Lack notes that a part is not there, or not whole.
func (f *Folder) Lack(part string, why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.missing = append(f.missing, Missing{part, foreign.Masked(why.Error())})
}

// Files that were written, relative and sorted.
func (f *Folder) Files() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Sorted(slices.Values(f.files))
}

// Lacking are the parts that are not there, by their names.
func (f *Folder) Lacking() []Missing {
	f.mu.Lock()
	defer f.mu.Unlock()
	missing := slices.Clone(f.missing)
	slices.SortStableFunc(missing, func(a, b Missing) int { return strings.Compare(a.Part, b.Part) })
	return missing
}
