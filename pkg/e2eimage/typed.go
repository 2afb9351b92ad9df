package e2eimage

import (
	"cmp"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// typed is a command about images, as a user who works on this suite has to type it.
func typed(verb, names string, suite config.Suite) string {
	return typedAt(verb, names, suite.Namespace, suite.Consumer, suite)
}

// typedAt is typed where the record's place is known. What the suite's file says is left
// out.
func typedAt(verb, names, namespace, consumer string, suite config.Suite) string {
	line := []string{"kubectl e2eimage", verb}
	if names != "" {
		line = append(line, names)
	}
	known := cmp.Or(suite.Hints.Consumer, suite.Hints.Only)
	if slices.Contains(writers(), verb) {
		known = cmp.Or(suite.Hints.Consumer, suite.Hints.Cluster)
	}
	for _, flag := range [][3]string{
		{"-n", namespace, suite.Hints.Namespace},
		{"--consumer", consumer, known},
		{"--lock", suite.Lock, suite.Hints.Lock},
	} {
		if flag[1] != "" && flag[1] != flag[2] {
			line = append(line, flag[0], shellescape.Quote(flag[1]))
		}
	}
	for _, word := range suite.Hints.Flags {
		line = append(line, shellescape.Quote(word))
	}
	return strings.Join(line, " ")
}

// writers are the verbs that go by what the suite says; the others go by records.
func writers() []string { return []string{"build", "load", "tag", "up"} }

// toItsRegistry is the suite as it has to be typed for writers, so that they go where the
// recorded image is: nobody else says it in another folder.
func toItsRegistry(suite config.Suite, evidence *record.Evidence) config.Suite {
	if evidence == nil || evidence.Registry == nil || suite.Registry != "" {
		return suite
	}
	pushed := cmp.Or(evidence.Registry.Push, evidence.Registry.Pull)
	suite.Hints.Flags = append(slices.Clone(suite.Hints.Flags), "--registry", pushed)
	return suite
}

// suggested are the commands that a user who works on a suite has to type.
type suggested struct{ suite config.Suite }

var _ record.Commands = suggested{}

// Ours implements record.Commands.
func (c suggested) Ours(verb, name, namespace, consumer string) string {
	return typedAt(verb, name, namespace, consumer, c.suite)
}

// Kubectl implements record.Commands.
func (c suggested) Kubectl(words ...string) string {
	return strings.Join(append(append([]string{"kubectl"}, words...), kubectlFlags(c.suite)...), " ")
}

// kubectlFlags are those flags of the suite's hints that kubectl has, too.
func kubectlFlags(suite config.Suite) []string {
	var flags []string
	for i := 0; i+1 < len(suite.Hints.Flags); i += 2 {
		if flag := suite.Hints.Flags[i]; slices.Contains([]string{"--kubeconfig", "--context", "--cluster"}, flag) {
			flags = append(flags, flag, shellescape.Quote(suite.Hints.Flags[i+1]))
		}
	}
	return flags
}

// sourced is the flag that says where an image comes from. A source may come out of a record,
// which others write: it is quoted. One that cannot be told from the end of a command, or read
// again, is for the user to say.
func sourced(source string) string {
	if source == "-" || strings.Contains(source, "&&") {
		source = "SOURCE"
	}
	return " --source " + shellescape.Quote(source)
}

// toDeploy is what to type so that images are recorded and deployed.
func toDeploy(suite config.Suite, namespace string) string {
	suite.Namespace = namespace
	if unsourced(suite) {
		return eachSourced("up", suite)
	}
	return typed("up", asked(suite), suite)
}

// eachSourced is a command for each image, which has to say where that comes from.
func eachSourced(verb string, suite config.Suite) string {
	var lines []string
	for _, name := range recordedNames(suite) {
		lines = append(lines, typed(verb, name, suite)+" --source IMAGE")
	}
	return strings.Join(lines, " && ")
}

// unsourced tells whether nobody said where an image comes from.
func unsourced(suite config.Suite) bool {
	return slices.ContainsFunc(suite.Images, func(image config.Image) bool {
		return image.External == "" && image.Build == nil && image.Prebuilt == "" && image.Source == ""
	})
}

// asked are the names that have to be typed: none for the whole suite of a file.
func asked(suite config.Suite) string {
	if suite.File != "" && !suite.Part {
		return ""
	}
	return strings.Join(recordedNames(suite), " ")
}

// toRecord is what to type so that images get a record.
func toRecord(suite config.Suite) string {
	if unsourced(suite) {
		return eachSourced("tag", suite)
	}
	names, build := asked(suite), slices.ContainsFunc(suite.Images, func(image config.Image) bool {
		return image.Build != nil
	})
	var steps []string
	if build {
		steps = append(steps, typed("build", names, suite))
	}
	return strings.Join(append(steps, typed("load", names, suite), typed("tag", names, suite)), " && ")
}
