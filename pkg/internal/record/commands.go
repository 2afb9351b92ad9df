package record

import "strings"

// Commands are what a user types next. How it is typed depends on what was said on the
// command line and in e2eimage.yaml, which records know nothing of.
type Commands interface {
	// Ours is a verb of this product for an image of a record.
	Ours(verb, name, namespace, consumer string) string
	// Kubectl is a command of kubectl in the same cluster.
	Kubectl(words ...string) string
}

// inFull are commands that say all and rely on nothing.
type inFull struct{}

var _ Commands = inFull{}

// Ours implements Commands.
func (inFull) Ours(verb, name, namespace, consumer string) string {
	return strings.Join([]string{"kubectl e2eimage", verb, name, "-n", namespace, "--consumer", consumer}, " ")
}

// Kubectl implements Commands.
func (inFull) Kubectl(words ...string) string { return "kubectl " + strings.Join(words, " ") }

// typed is a command for an image of the set.
func (s *Set) typed(verb, name string) string {
	if s.commands == nil {
		return inFull{}.Ours(verb, name, s.Namespace, s.Consumer)
	}
	return s.commands.Ours(verb, name, s.Namespace, s.Consumer)
}
