package cli

import (
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// refEnv prints shell assignments. Values that need no quotes get none, so that
// make and env files can read them too.
func refEnv(images *e2eimage.Images) string {
	var text strings.Builder
	for _, variable := range images.Env() {
		key, value, _ := strings.Cut(variable, "=")
		text.WriteString(key + "=" + shellescape.Quote(value) + "\n")
	}
	return text.String()
}

// refHelm prints arguments for Helm, on one line that is right where a shell puts it into
// a command without quotes: helm install NAME CHART $args.
func refHelm(images *e2eimage.Images) (string, error) {
	arguments, err := images.HelmArgs()
	if err != nil {
		return "", err
	}
	return strings.Join(arguments, " ") + "\n", nil
}

// refKustomize prints the images: block of a kustomization.
func refKustomize(images *e2eimage.Images) (string, error) {
	entries, err := images.Kustomize()
	if err != nil {
		return "", err
	}
	text, err := marshalYAML(map[string]any{"images": entries})
	return string(text), err
}
