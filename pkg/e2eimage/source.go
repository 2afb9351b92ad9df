package e2eimage

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// resolveSource finds the image ID that all nodes have for a source. Every node
// must have it, and all the same.
func resolveSource(name, source string, place *place, states kindnode.States) (string, error) {
	candidates, err := sourceNames(name, source)
	if err != nil {
		return "", err
	}
	byNode := map[string][]string{} // image ID → nodes
	var missing []string
	for node, state := range states.All() {
		ids, err := idsOf(candidates, state)
		if err != nil {
			return "", fmt.Errorf("%s: on node %s %w", name, node, err)
		}
		if ids == "" {
			missing = append(missing, node)
			continue
		}
		byNode[ids] = append(byNode[ids], node)
	}
	switch {
	case len(byNode) == 1 && len(missing) == 0:
		return sortedKeys(byNode)[0], nil
	case len(byNode) == 0:
		nowhere := &Error{Code: CodeNotLoaded, Image: name, Fix: "load it first: " + loadHint(source)}
		if name := registryIn(states); name != "" {
			return "", nowhere.says("%s: %s does not have the source %s", name, name, source)
		}
		return "", nowhere.says("%s: no node of Kind cluster %q has the source %s%s",
			name, place.kindName(), source, similar(candidates[0], states))
	}
	message := fmt.Sprintf("%s: the nodes of Kind cluster %q do not have the same source %s:", name, place.kindName(),
		source)
	for _, id := range sortedKeys(byNode) {
		message += fmt.Sprintf("\n  %s on %s", ociimage.ShortID(id), strings.Join(byNode[id], ", "))
	}
	if len(missing) > 0 {
		message += fmt.Sprintf("\n  missing on %s", strings.Join(missing, ", "))
	}
	differ := &Error{Code: CodeNotLoaded, Image: name, Fix: "load it on every node: " + loadHint(source)}
	if len(missing) > 0 {
		differ.Node = missing[0]
	}
	return "", &InconsistentError{differ.says("%s", message)}
}

// sourceNames returns the names that a source can have on a node.
func sourceNames(name, source string) ([]string, error) {
	if source == "" {
		return nil, &UsageError{fmt.Errorf("%s: which image? Say it with --source IMAGE, or as source in e2eimage.yaml",
			name)}
	}
	if id, ok := ociimage.ParseImageID(source); ok {
		return []string{id}, nil
	}
	candidates, err := ociimage.Candidates(source)
	if err != nil {
		return nil, &UsageError{fmt.Errorf("%s: source %w", name, err)}
	}
	return candidates, nil
}

func idsOf(candidates []string, state kindnode.State) (string, error) {
	found := ""
	for _, candidate := range candidates {
		id := state.ID(candidate)
		if found != "" && id != "" && id != found {
			return "", fmt.Errorf("%s are different images; name the one you mean", strings.Join(candidates, " and "))
		}
		if id != "" {
			found = id
		}
	}
	return found, nil
}

// similar lists what the nodes have under the same last path component.
func similar(wanted string, states kindnode.States) string {
	near := slices.DeleteFunc(states.Tags(), func(tag string) bool { return !ociimage.Alike(tag, wanted) })
	if len(near) == 0 {
		return ""
	}
	return "; they have " + strings.Join(near[:min(5, len(near))], ", ")
}

// loadHint is what to type to bring an image into the nodes.
func loadHint(source string) string {
	return "kubectl e2eimage load " + shellescape.Quote(source)
}

// targetRepository decides the repository of a new recorded image. A kubelet
// that pulled the image itself starts it only under repositories that it noted
// then (KubeletEnsureSecretPulledImages, on from Kubernetes 1.35): found here,
// not as a pod that never starts.
func targetRepository(name, asked, fallback, imageID string, states kindnode.States) (string, error) {
	repository := asked
	if repository == "" {
		repository = fallback
	}
	for node, state := range states.All() {
		note, pulled := state.Pulled[imageID]
		if !pulled || slices.Contains(note.Repositories(), repository) {
			continue
		}
		allowed := note.Repositories()
		if asked == "" && len(allowed) > 0 {
			return targetRepository(name, allowed[0], fallback, imageID, states)
		}
		return "", &InconsistentError{fmt.Errorf(`%s: the kubelet of node %s pulled %s itself as %s and would refuse to start it as %s
give --repository %s, or load the image instead of letting the node pull it`,
			name, node, ociimage.ShortID(imageID), strings.Join(allowed, ", "), repository,
			strings.Join(append(allowed, "REPOSITORY")[:1], ""))}
	}
	return repository, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
