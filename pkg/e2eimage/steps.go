package e2eimage

import "github.com/e2eimage/kubectl-e2eimage/pkg/progress"

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
func nodesOf(nodes []string) string {
	if len(nodes) == 1 && isRegistry(nodes[0]) {
		return nodes[0]
	}
	if len(nodes) == 1 {
		return "node " + nodes[0]
	}
	return progress.Counted(len(nodes), "node")
}
