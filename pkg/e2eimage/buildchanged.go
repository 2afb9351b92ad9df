package e2eimage

import (
	"context"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/buildtree"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// namedFiles is how many changed files are named at most.
const namedFiles = 3

// changedFiles names the first of the files in a tree that were written after the build.
// Where none is, as when one was removed, it names the folder.
func changedFiles(ctx context.Context, tree buildtree.Tree, built *metav1.Time) string {
	whole := "files in " + tree.Context
	if built == nil {
		return whole
	}
	// Times in a lock have no fractions of a second.
	newer, err := tree.Newer(ctx, built.Add(time.Second))
	switch {
	case err != nil || len(newer) == 0:
		return whole
	case len(newer) <= namedFiles:
		return strings.Join(newer, ", ")
	}
	return fmt.Sprintf("%s and %s", strings.Join(newer[:namedFiles], ", "),
		progress.Counted(len(newer)-namedFiles, "more file"))
}
