package cli

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
	"github.com/spf13/cobra"
	"k8s.io/cli-runtime/pkg/resource"
	"sigs.k8s.io/kustomize/api/konfig"
	"sigs.k8s.io/kustomize/api/krusty"
	"sigs.k8s.io/kustomize/kyaml/filesys"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/internal/heed"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// manifestFlags are kubectl's flags for manifests.
type manifestFlags struct {
	files     []string
	kustomize string
	recursive bool
}

func (f *manifestFlags) add(cmd *cobra.Command, fallback string) {
	set := cmd.Flags()
	set.StringSliceVarP(&f.files, "filename", "f", nil,
		"File, folder or pattern of manifests, - for standard input"+fallback)
	set.StringVarP(&f.kustomize, "kustomize", "k", "", "Folder with a kustomization.yaml to build")
	set.BoolVarP(&f.recursive, "recursive", "R", false, "Also read the folders inside those of -f")
	cmd.MarkFlagsMutuallyExclusive("filename", "kustomize")
	cmd.MarkFlagsMutuallyExclusive("kustomize", "recursive")
}

// manifests reads files, those of folders in the order of their names, standard
// input, or what kustomize builds.
func (a *app) manifests(ctx context.Context, flags manifestFlags) ([]e2eimage.Manifest, error) {
	if flags.kustomize != "" {
		// It may fetch what it builds on.
		return heed.Do(ctx, func() ([]e2eimage.Manifest, error) { return a.kustomized(flags.kustomize) })
	}
	var manifests []e2eimage.Manifest
	var mistakes []error
	for _, path := range flags.files {
		read, err := a.manifestsIn(ctx, path, flags.recursive)
		manifests, mistakes = append(manifests, read...), append(mistakes, err)
	}
	return manifests, errors.Join(mistakes...)
}

func (a *app) manifestsIn(ctx context.Context, path string, recursive bool) ([]e2eimage.Manifest, error) {
	if path == "-" {
		if isTerminal(a.host.Streams.In) {
			a.reporter().Info("reading manifests from standard input; end with Ctrl-D")
		}
		text, err := readAll(ctx, a.host.Streams.In)
		return []e2eimage.Manifest{{Text: text}}, err
	}
	if strings.Contains(path, "://") {
		return nil, fmt.Errorf("-f %s: URLs are not read; download it first: curl -fsSLO %s", path, shellescape.Quote(path))
	}
	paths, err := a.matching(path)
	if err != nil {
		return nil, fmt.Errorf("-f %s: %w", path, err)
	}
	var manifests []e2eimage.Manifest
	for _, path := range paths {
		read, err := a.manifestsAt(ctx, path, recursive)
		if err != nil {
			return nil, err
		}
		manifests = append(manifests, read...)
	}
	return manifests, nil
}

// matching are the files and folders that a path means, as kubectl sees it: what is there
// under that name, else what it matches as a pattern.
func (a *app) matching(path string) ([]string, error) {
	if _, err := os.Stat(a.inFolder(path)); !errors.Is(err, fs.ErrNotExist) {
		return []string{path}, err
	}
	at := path
	if !filepath.IsAbs(path) {
		// The folder's own name is no pattern.
		at = filepath.Join(literal.ReplaceAllString(a.host.Dir, `\$0`), path)
	}
	found, err := filepath.Glob(at)
	switch {
	case err != nil:
		return nil, fmt.Errorf("there is no such file, and it is no valid pattern: %w", err)
	case len(found) == 0:
		return nil, errors.New("there is no such file or folder")
	}
	for i, one := range found {
		if inner, err := filepath.Rel(a.host.Dir, one); err == nil && !filepath.IsAbs(path) {
			found[i] = inner
		}
	}
	return found, nil
}

// literal is what patterns take for something else.
var literal = regexp.MustCompile(`[\\*?\[]`)

// manifestsAt reads a file, or those of a folder. A link to a folder is one.
func (a *app) manifestsAt(ctx context.Context, path string, recursive bool) ([]e2eimage.Manifest, error) {
	at, err := filepath.EvalSymlinks(a.inFolder(path))
	if err != nil {
		// Of a process, such as <(helm template chart).
		at = a.inFolder(path)
	}
	for _, name := range konfig.RecognizedKustomizationFileNames() {
		if _, err := os.Stat(filepath.Join(at, name)); err == nil {
			return nil, fmt.Errorf("-f %s: the folder has a %s; use -k %s", path, name, path)
		}
	}
	var manifests []e2eimage.Manifest
	below := false
	err = filepath.WalkDir(at, func(file string, entry fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case entry.IsDir():
			if file == at || recursive {
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
		manifests = append(manifests, e2eimage.Manifest{Name: shown, Text: text})
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
	return heed.Do(ctx, func() ([]byte, error) { return io.ReadAll(from) })
}

// kustomized builds a folder as kubectl does.
func (a *app) kustomized(folder string) ([]e2eimage.Manifest, error) {
	options := krusty.MakeDefaultOptions()
	options.Reorder = krusty.ReorderOptionLegacy
	built, err := krusty.MakeKustomizer(options).Run(filesys.MakeFsOnDisk(), a.inFolder(folder))
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", folder, unquoted(err))
	}
	text, err := built.AsYaml()
	if err != nil {
		return nil, fmt.Errorf("kustomize %s: %w", folder, err)
	}
	return []e2eimage.Manifest{{Name: folder, Text: text}}, nil
}

// unquoted is an error of kustomize's without the patches and literals that it quotes,
// which may be a Secret's.
func unquoted(err error) error {
	return foreign.Reworded(err, foreign.Masked(quotedByKustomize.ReplaceAllString(err.Error(), "…")))
}

var quotedByKustomize = regexp.MustCompile("(?s)`.*?`|from \\[.*\\]|literal sources \\[.*\\]: invalid literal " +
	"source .*?, ")

// inFolder is a path as it is from the folder that the user is in.
func (a *app) inFolder(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(a.host.Dir, path)
}
