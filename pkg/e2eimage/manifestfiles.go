package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/kustomize/api/konfig"

	"github.com/e2eimage/kubectl-e2eimage/internal/heed"
)

// ManifestFiles say where manifests are, as kubectl's -f, -R and -k do.
type ManifestFiles struct {
	// Dir is where relative paths start, "" for the process's working folder.
	Dir string
	// Paths are files, folders or patterns of them; "-" is Stdin.
	Paths []string
	// Recursive also reads the folders inside those of Paths.
	Recursive bool
	// Kustomize is a folder with a kustomization, which is built. There are no Paths then.
	Kustomize string
	Stdin     io.Reader
}

// ReadManifests reads files, those of folders in the order of their names, standard input,
// or what kustomize builds. All that cannot be read is said at once.
func ReadManifests(ctx context.Context, files ManifestFiles) ([]Manifest, error) {
	if files.Kustomize != "" && len(files.Paths) > 0 {
		return nil, &UsageError{errors.New("manifests are either files or a kustomization, not both")}
	}
	if files.Kustomize != "" {
		// It may fetch what it builds on.
		return heed.Do(ctx, func() ([]Manifest, error) { return kustomized(files.at(files.Kustomize), files.Kustomize) })
	}
	var manifests []Manifest
	var mistakes []error
	for _, path := range files.Paths {
		read, err := files.in(ctx, path)
		manifests, mistakes = append(manifests, read...), append(mistakes, err)
	}
	return manifests, errors.Join(mistakes...)
}

func (f ManifestFiles) in(ctx context.Context, path string) ([]Manifest, error) {
	if path == "-" {
		text, err := readAll(ctx, f.Stdin)
		return []Manifest{{Text: text}}, err
	}
	if strings.Contains(path, "://") {
		return nil, fmt.Errorf("-f %s: URLs are not read; download it first: curl -fsSLO %s", path, shellescape.Quote(path))
	}
	paths, err := f.matching(path)
	if err != nil {
		return nil, fmt.Errorf("-f %s: %w", path, err)
	}
	var manifests []Manifest
	for _, path := range paths {
		read, err := f.read(ctx, path)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, read...)
	}
	return manifests, nil
}

// at is a path as it is from Dir.
func (f ManifestFiles) at(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(f.Dir, path)
}

// matching are the files and folders that a path means, as kubectl sees it: what is there
// under that name, else what it matches as a pattern.
func (f ManifestFiles) matching(path string) ([]string, error) {
	if _, err := os.Stat(f.at(path)); !errors.Is(err, fs.ErrNotExist) {
		return []string{path}, err
	}
	at := path
	if !filepath.IsAbs(path) {
		// The folder's own name is no pattern.
		at = filepath.Join(literal.ReplaceAllString(f.Dir, `\$0`), path)
	}
	found, err := filepath.Glob(at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("there is no such file, and it is no valid pattern: %w", err)
	case len(found) == 0:
		return nil, errors.New("there is no such file or folder")
	}
	for i, one := range found {
		if inner, err := filepath.Rel(f.Dir, one); err == nil && !filepath.IsAbs(path) {
			found[i] = inner
		}
	}
	return found, nil
}

// literal is what patterns take for something else.
var literal = regexp.MustCompile(`[\\*?\[]`)

// read reads a file, or those of a folder. A link to a folder is one.
func (f ManifestFiles) read(ctx context.Context, path string) ([]Manifest, error) {
	at, err := filepath.EvalSymlinks(f.at(path))
	if err != nil {
		// Of a process, such as <(helm template chart).
		at = f.at(path)
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, err := os.Stat(filepath.Join(at, name)); err == nil {
			return nil, fmt.Errorf("-f %s: the folder has a %s; use -k %s", path, name, path)
		}
	}
	var manifests []Manifest
	below := false
	err = filepath.WalkDir(at, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if file == at || f.Recursive {
				return nil
			}
			below = true
			return filepath.SkipDir
		case file != at && !slices.Contains(resource.FileExtensions, filepath.Ext(file)):
			return nil
		}
		text, err := heed.Do(ctx, func() ([]byte, error) { return os.ReadFile(file) })
		shown := path
		if inner, relative := filepath.Rel(at, file); relative == nil && inner != "." {
			shown = filepath.Join(path, inner)
		}
		manifests = append(manifests, Manifest{Name: shown, Text: text})
		return err
	})
	if err == nil && len(manifests) == 0 {
		err = fmt.Errorf("%s has no file that ends with .yaml, .yml or .json", path)
		if below {
			err = fmt.Errorf("%w; -R also reads the folders in it", err)
		}
	}
	return manifests, err
}

// readAll reads to the end or until the context's: nobody may be at the other end.
func readAll(ctx context.Context, from io.Reader) ([]byte, error) {
	if from == nil {
		return nil, errors.New("-f -: there is no standard input to read")
	}
	return heed.Do(ctx, func() ([]byte, error) { return io.ReadAll(from) })
}
