package e2eimage

import (
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// step is a step whose two forms differ in the verb only.
func step(doing, done, what string) progress.Step {
	return progress.Step{Doing: doing + " " + what, Done: done + " " + what}
}

// tagsFrom says how many tags go from which nodes.
func tagsFrom(tags int, nodes []string) string {
	if tags == 1 {
		return "tag from " + nodesOf(nodes)
	}
	return progress.Counted(tags, "tag") + " from " + nodesOf(nodes)
}

// nodesOf names a node or a registry, or says how many there are.
func nodesOf(parts []string) string {
	var said, nodes []string
	for _, part := range parts {
		if isRegistry(part) {
			said = append(said, part)
		} else {
			nodes = append(nodes, part)
		}
	}
	switch {
	case len(nodes) == 1:
		said = append([]string{"node " + nodes[0]}, said...)
	case len(nodes) > 1 || len(said) == 0:
		said = append([]string{progress.Counted(len(nodes), "node")}, said...)
	}
	return strings.Join(said, " and ")
}
