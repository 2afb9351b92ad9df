package e2eimage

import (
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// toBeDrawn stands in a dry run for the random digits that a real run draws: what a dry
// run draws would never exist. It may stand in tags.
const toBeDrawn = "_random_"

// inDryRun are the template values of a run, which draws nothing where it is dry.
func inDryRun(dry bool, values config.TemplateValues) config.TemplateValues {
	if dry && values.Random == "" {
		values.Random = toBeDrawn
	}
	return values
}

// planned is how an image is shown whose tag is not decided before a real run.
func planned(image string) string { return strings.ReplaceAll(image, toBeDrawn, "<random>") }
