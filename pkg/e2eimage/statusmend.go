package e2eimage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// mending is one command that mends something.
type mending struct {
	// verb of kubectl e2eimage, "" for another program's command.
	verb string
	// name of the image, and what comes behind it.
	name, flags string
	// line is the command of another program.
	line string
}

const ourCommand = "kubectl e2eimage "

// stepsOf are the commands that a problem's Mend has.
func stepsOf(mend string) []mending {
	var steps []mending
	for line := range strings.SplitSeq(mend, " && ") {
		ours, isOurs := strings.CutPrefix(line, ourCommand)
		switch {
		case line == "":
		case !isOurs:
			steps = append(steps, mending{line: line})
		default:
			verb, rest, _ := strings.Cut(ours, " ")
			name, flags := "", rest
			if !strings.HasPrefix(rest, "-") {
				name, flags, _ = strings.Cut(rest, " ")
			}
			steps = append(steps, mending{verb: verb, name: name, flags: flags})
		}
	}
	return steps
}

// order is that of the commands: a record that cannot be used goes first, and then each
// needs what those before it have made.
func (s mending) order() int {
	inTurn := []string{"clean", "up", "build", "load", "tag", "deploy"}
	if at := slices.Index(inTurn, s.verb); at >= 0 {
		return at
	}
	return len(inTurn)
}

// isPlain tells whether up does what a command does.
func (s mending) isPlain() bool {
	special := slices.ContainsFunc([]string{"--workload", "--replace", "--use"}, func(flag string) bool {
		return strings.Contains(s.flags, flag)
	})
	return slices.Contains([]string{"up", "build", "load", "tag", "deploy"}, s.verb) && !special
}

// isOfOne tells whether a command is for one image alone: so are a source and workloads.
func (s mending) isOfOne() bool {
	return strings.Contains(s.flags, "--source") || strings.Contains(s.flags, "--workload")
}

// command is what is typed, for all the images.
func (s mending) command(names []string) string {
	if s.verb == "" {
		return s.line
	}
	command := ourCommand + s.verb
	for _, word := range append(names, s.flags) {
		if word != "" {
			command += " " + word
		}
	}
	return command
}

// mend are the commands for all problems of an image. Where it takes several of them, and
// up does the same, that is it.
func (r *statusRun) mend(image ImageStatus) []mending {
	var steps []mending
	for _, problem := range image.Problems {
		steps = append(steps, stepsOf(problem.mend)...)
	}
	steps = r.followed(image, steps)
	if up, ok := r.up(image, steps); ok {
		return []mending{up}
	}
	return steps
}

// followed adds what has to come behind build, load and tag: else the next thing that
// does not agree is a workload with the tag of before.
func (r *statusRun) followed(image ImageStatus, steps []mending) []mending {
	chain := []string{"build", "load", "tag", "deploy"}
	if len(image.Workloads) == 0 {
		chain = chain[:len(chain)-1]
	}
	has := func(verb string) bool {
		return slices.ContainsFunc(steps, func(s mending) bool { return s.verb == verb })
	}
	begun := false
	for _, verb := range chain {
		if has(verb) {
			begun = true
		} else if begun {
			plain := stepsOf(typedAt(verb, image.Name, r.kube.namespace, image.Consumer, r.in.Suite))
			steps = append(steps, plain...)
		}
	}
	return steps
}

// up is the one command that does what several do, if there is one: it needs to know
// where the image comes from, and goes to the workloads that it is deployed to by default.
func (r *statusRun) up(image ImageStatus, steps []mending) (mending, bool) {
	source, verbs := "", map[string]bool{}
	for _, s := range steps {
		if !s.isPlain() {
			return mending{}, false
		}
		if _, from, ok := strings.Cut(s.flags, "--source "); ok {
			source = " --source " + from
		}
		verbs[s.verb] = true
	}
	asked := r.asked(image.Name)
	known := source != "" || r.in.Suite.File != "" && (asked.Source != "" || asked.Build != nil)
	elsewhere := slices.ContainsFunc(image.Workloads, func(w WorkloadStatus) bool {
		return !r.deployedTo(image.Name, &rollout.Used{Name: w.Name, Namespace: cmp.Or(w.Namespace, r.kube.namespace)})
	})
	if len(verbs) < 2 || !known || elsewhere || len(image.Workloads) == 0 {
		return mending{}, false
	}
	one := stepsOf(typedAt("up", image.Name, r.kube.namespace, image.Consumer, r.in.Suite))[0]
	one.flags = strings.TrimSpace(one.flags + source)
	return one, true
}

// commandsOf are the commands in the order in which they have to be run, each once. Images
// that need the same share one.
func commandsOf(steps []mending) []string {
	steps = slices.Clone(steps)
	slices.SortStableFunc(steps, func(a, b mending) int { return cmp.Compare(a.order(), b.order()) })
	var commands []string
	for len(steps) > 0 {
		first := steps[0]
		alike := func(s mending) bool {
			same := s.verb == first.verb && s.flags == first.flags && s.line == first.line
			return same && (s.name == first.name || !s.isOfOne())
		}
		var names []string
		for _, s := range steps {
			if alike(s) && s.name != "" && !slices.Contains(names, s.name) {
				names = append(names, s.name)
			}
		}
		steps = slices.DeleteFunc(steps, alike)
		commands = append(commands, first.command(names))
	}
	return commands
}
