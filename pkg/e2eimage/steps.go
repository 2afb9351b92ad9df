package e2eimage

import (
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// step is a step whose two forms differ in the verb only.
func step(doing, done, what string) progress.Step {
	return progress.Step{Doing: doing + " " + what, Done: done + " " + what}
}

// counted writes how many there are: 1 tag, 2 tags.
func counted(n int, noun string) string {
	if n == 1 {
		return "1 " + noun
	}
	return fmt.Sprintf("%d %ss", n, noun)
}

// tagsFrom says how many tags go from which nodes.
func tagsFrom(tags int, nodes []string) string {
	if tags == 1 {
		return "tag from " + nodesOf(nodes)
	}
	return counted(tags, "tag") + " from " + nodesOf(nodes)
}

// nodesOf names a node, or says how many there are.
func nodesOf(nodes []string) string {
	if len(nodes) == 1 {
		return "node " + nodes[0]
	}
	return counted(len(nodes), "node")
}
