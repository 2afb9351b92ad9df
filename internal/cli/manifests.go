package cli

import (
	"context"
	"path/filepath"
	"slices"

	"github.com/spf13/cobra"

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

// manifests reads what the flags name.
func (a *app) manifests(ctx context.Context, flags manifestFlags) ([]e2eimage.Manifest, error) {
	if slices.Contains(flags.files, "-") && isTerminal(a.host.Streams.In) {
		a.reporter().Info("reading manifests from standard input; end with Ctrl-D")
	}
	return e2eimage.ReadManifests(ctx, e2eimage.ManifestFiles{
		Dir: a.host.Dir, Paths: flags.files, Recursive: flags.recursive, Kustomize: flags.kustomize, Stdin: a.host.Streams.In,
	})
}

// inFolder is a path as it is from the folder that the user is in.
func (a *app) inFolder(path string) string {
	if filepath.IsAbs(path) {
		return path
	}
	return filepath.Join(a.host.Dir, path)
}
