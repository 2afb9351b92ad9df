package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// image is what is true of one record.
func (r *statusRun) image(set *record.Set, name string, stale []Problem) ImageStatus {
	status := ImageStatus{Name: name, Consumer: set.Consumer, NodesWith: []string{}, Workloads: []WorkloadStatus{}}
	evidence, err := set.Entry(name)
	if err != nil {
		status.problem(StateTampered, r.typed("clean", name, set)+" --scope=cluster", "%v", err)
		status.settle()
		return status
	}
	status.Image, status.ImageID, status.Source, status.Platform = evidence.Image, evidence.ImageID, evidence.Source,
		evidence.Platform
	status.Engine, status.By, status.Recorded = evidence.Engine, evidence.By, evidence.Recorded
	if evidence.State != record.Ready {
		status.problem(StateUnfinished, r.typed("tag", name, set),
			"it is %s: a run of tag or clean is under way or was killed", strings.ToLower(evidence.State))
	}
	states := within(partOfRecord(evidence), r.states)
	status.NodesWith = append(status.NodesWith, states.Having(evidence.Image, evidence.ImageID)...)
	status.NodesWithout = append(status.NodesWithout, states.Lacking(evidence.Image, evidence.ImageID)...)
	if in := evidence.Registry; in != nil {
		status.Registry, status.Digest = in.Pull, in.Digest.String()
	}
	for _, node := range sortedKeys(states) {
		if usage, has := states[node].Usage[evidence.ImageID]; has {
			status.Disk = append(status.Disk, NodeDisk{node, usage.Bytes, usage.Unshared})
		}
	}
	if len(status.NodesWithout) > 0 && evidence.State == record.Ready {
		r.missing(&status, set, evidence, states)
	}
	for _, tag := range evidence.Release {
		if on := states.With(tag); evidence.State == record.Ready && len(on) > 0 && !r.uses(tag) {
			status.problem(StateUnfinished, r.typed("tag", name, set),
				"%s has to be taken off %s: a run of tag is under way or was killed", tag, strings.Join(on, ", "))
		}
	}
	if evidence.State == record.Ready {
		aliases := aliasesOf(r.asked(name), evidence)
		for _, used := range r.used {
			r.workload(&status, set, evidence, aliases, used)
		}
		if r.proving {
			r.notRunning(&status, set)
		}
	}
	status.Problems = append(status.Problems, stale...)
	status.settle()
	return status
}

func (s *ImageStatus) problem(state State, mend, format string, args ...any) {
	s.Problems = append(s.Problems, Problem{State: state, Text: fmt.Sprintf(format, args...), mend: mend})
}

// settle takes the worst state, and adds up the pods.
func (s *ImageStatus) settle() {
	for _, state := range worst() {
		if state == StateConsistent || slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.State == state }) {
			s.State = state
			break
		}
	}
	for _, w := range s.Workloads {
		s.Running, s.Wanted = s.Running+w.Running, s.Wanted+w.Wanted
	}
}

// typed is a command that mends something.
func (r *statusRun) typed(verb, name string, set *record.Set) string {
	suite := r.in.Suite
	if slices.Contains(writers(), verb) {
		evidence, _ := set.Entry(name) // what is wrong with it is a problem of its own
		suite = toItsRegistry(suite, evidence)
	}
	return typedAt(verb, name, set.Namespace, set.Consumer, suite)
}

// mendsNodes is the command for nodes that lack an image: deploy heals them before it looks
// at workloads that use it; without any it would only ask for one. tag names what is there:
// a node that has not even the content is loaded first.
func (r *statusRun) mendsNodes(set *record.Set, evidence *record.Evidence, name string) string {
	status, aliases := ImageStatus{Name: name}, aliasesOf(r.asked(name), evidence)
	for _, used := range r.used {
		r.workload(&status, set, evidence, aliases, used)
	}
	if len(status.Workloads) > 0 {
		return r.typed("deploy", name, set)
	}
	said := ""
	if !inFile(r.asked(name), r.in.Suite) && evidence.Source != "" {
		said = sourced(evidence.Source)
	}
	tag := r.typed("tag", name, set) + said
	if states := within(partOfRecord(evidence), r.states); len(states.Lacking(evidence.ImageID, evidence.ImageID)) > 0 {
		return r.typed("load", name, set) + said + " && " + tag
	}
	return tag
}

// missing says where a recorded image is not, and what a registry has there instead: it has no
// owners that could keep others from moving a tag.
func (r *statusRun) missing(status *ImageStatus, set *record.Set, evidence *record.Evidence, states kindnode.States) {
	in := registryIn(states)
	if in == "" {
		status.problem(StateMissing, r.mendsNodes(set, evidence, status.Name), "%s is not on %s", evidence.Image,
			strings.Join(status.NodesWithout, ", "))
		return
	}
	if held := states[in].ID(evidence.Image); held != "" {
		status.problem(StateMissing, r.typed("tag", status.Name, set), "somebody moved %s in the %s: it is %s there "+
			"instead of the recorded %s", evidence.Image, in, ociimage.ShortID(held), ociimage.ShortID(evidence.ImageID))
		return
	}
	status.problem(StateMissing, r.mendsNodes(set, evidence, status.Name), "%s is not in the %s any more",
		evidence.Image, in)
}

// stale compares a consumer's records with its lock and this host. What cannot be
// compared is not stale.
func (r *statusRun) stale(ctx context.Context, set *record.Set) (map[string][]Problem, error) {
	found := map[string][]Problem{}
	lock, err := r.client.openLock(r.in.Suite, set.Consumer)
	if err != nil {
		for _, name := range set.Names() {
			found[name] = []Problem{{State: StateStale, Text: err.Error()}}
		}
		return found, nil
	}
	suite := r.in.Suite
	suite.Namespace, suite.Consumer = set.Namespace, set.Consumer
	var all []*comparison
	for _, name := range set.Names() {
		evidence, err := set.Entry(name)
		if err == nil && evidence != nil && evidence.State == record.Ready && r.wanted(name) {
			image := r.asked(name)
			all = append(all, compared(image, lock.entry(image, suite.Prebuilt), evidence))
		}
	}
	if err := r.client.compare(ctx, r.engines, suite, lock, all); err != nil {
		return nil, err
	}
	for _, k := range all {
		finding := k.judge(suite, within(partOfRecord(k.evidence), r.states))
		r.client.unknown(ctx, k, finding)
		problems := []error{
			k.older(finding, toItsRegistry(suite, k.evidence)), r.client.checkTree(ctx, k.image, k.entry, lock, suite),
		}
		if finding.Relation == freshness.Diverged {
			problems = append(problems, k.diverged(suite, lock, set.Namespace, set.Consumer))
		}
		for _, problem := range problems {
			if problem != nil {
				found[k.image.Name] = append(found[k.image.Name], asProblem(k.image.Name, problem))
			}
		}
	}
	return found, nil
}

// asked is an image of the suite, or one of which only the name is known.
func (r *statusRun) asked(name string) config.Image {
	for _, image := range r.in.Suite.Images {
		if image.Name == name {
			return image
		}
	}
	return config.Image{Name: name}
}
