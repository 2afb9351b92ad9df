package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
)

// image is what is true of one record.
func (r *statusRun) image(set *record.Set, name string, stale []Problem) ImageStatus {
	status := ImageStatus{Name: name, Consumer: set.Consumer, NodesWith: []string{}, Workloads: []WorkloadStatus{}}
	evidence, err := set.Entry(name)
	if err != nil {
		status.problem(StateTampered, r.typed("clean", name, set)+" --force", "%v", err)
		status.settle()
		return status
	}
	status.Image, status.ImageID, status.Source, status.Platform = evidence.Image, evidence.ImageID, evidence.Source, evidence.Platform
	status.By, status.Recorded = evidence.By, evidence.Recorded
	if evidence.State != record.Ready {
		status.problem(StateUnfinished, r.typed("tag", name, set), "it is %s: a run of tag or clean is under way or was killed", strings.ToLower(evidence.State))
	}
	for _, node := range sortedKeys(r.states) {
		if held := r.states[node].ID(evidence.Image); held == evidence.ImageID {
			status.NodesWith = append(status.NodesWith, node)
		} else {
			status.NodesWithout = append(status.NodesWithout, node)
		}
	}
	if len(status.NodesWithout) > 0 && evidence.State == record.Ready {
		status.problem(StateMissing, r.typed("deploy", name, set), "%s is not on %s", evidence.Image, strings.Join(status.NodesWithout, ", "))
	}
	if evidence.State == record.Ready {
		for _, used := range r.used {
			r.workload(&status, set, evidence, used)
		}
	}
	status.Problems = append(status.Problems, stale...)
	status.settle()
	return status
}

func (s *ImageStatus) problem(state State, mend, format string, args ...any) {
	s.Problems = append(s.Problems, Problem{State: state, Text: fmt.Sprintf(format, args...), Mend: mend})
}

// settle takes the worst state.
func (s *ImageStatus) settle() {
	for _, state := range worst() {
		if state == StateConsistent || slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.State == state }) {
			s.State = state
			break
		}
	}
	if s.State != StateRolling {
		return
	}
	running, wanted := 0, 0
	for _, w := range s.Workloads {
		running, wanted = running+w.Running, wanted+w.Wanted
	}
	s.State = State(fmt.Sprintf("%s %d/%d", StateRolling, running, wanted))
}

// typed is a command that mends something.
func (r *statusRun) typed(verb, name string, set *record.Set) string {
	return typedFor(verb, name, set.Namespace, set.Consumer)
}

// workload adds a workload to the status of an image, if it uses that: by a
// container's image, or by the annotation that deploy leaves.
func (r *statusRun) workload(status *ImageStatus, set *record.Set, evidence *record.Evidence, used *workload.Used) {
	if used.Consumer != "" && used.Consumer != set.Consumer {
		return
	}
	_, marked := used.Template.Annotations[workload.ImageIDPrefix+status.Name]
	matches := func(image string) bool {
		return ociimage.MatchReference(image, r.aliases(status.Name, evidence)...) != ociimage.NoMatch
	}
	mend := r.typed("deploy", status.Name, set)
	one, shown := WorkloadStatus{Name: used.Name, Phase: used.Phase, Wanted: used.Wanted}, used.Name
	if used.Namespace != set.Namespace {
		one.Namespace, shown = used.Namespace, used.Namespace+"/"+kindless(used.Name)
	}
	if !r.deployedTo(status.Name, used) {
		mend += " --workload " + strings.TrimPrefix(used.Namespace+"/"+kindless(used.Name), set.Namespace+"/")
	}
	if strings.HasPrefix(used.Name, "job.") || strings.HasPrefix(used.Name, "pod/") {
		mend += " --replace"
	}
	if used.Namespace != set.Namespace && !r.namedElsewhere(status.Name, used) {
		// The same source and the same mark may be of a record there: only the
		// recorded tags mean this one.
		marked = false
		matches = func(image string) bool { return slices.Contains(evidence.Tags(), image) }
	}
	matching := map[string]corev1.Container{}
	for _, container := range append(slices.Clone(used.Template.Spec.InitContainers), used.Template.Spec.Containers...) {
		if matches(container.Image) {
			matching[container.Name] = container
		}
	}
	if !marked && len(matching) == 0 {
		return
	}
	if len(matching) == 0 {
		status.problem(StateDrifted, mend, "%s was deployed with it, but none of its containers has it any more", shown)
	}
	for _, name := range sortedKeys(matching) {
		container := matching[name]
		if container.Image != evidence.Image {
			status.problem(StateDrifted, mend, "%s is to run %s in container %s instead of %s", shown, container.Image, name, evidence.Image)
		}
		if container.ImagePullPolicy == corev1.PullAlways {
			status.problem(StateDrifted, mend, "%s pulls the image of container %s always, past what nodes have", shown, name)
		}
	}
	for _, pod := range used.Pods {
		r.pod(status, &one, evidence, used, pod, matching)
	}
	if !used.Settled {
		// Pods of the template before may run the same image.
		one.Running = min(one.Running, used.Updated)
	} else if used.Phase == "" {
		// Those that a partition keeps may run it, too.
		one.Wanted = max(one.Wanted, one.Running)
	}
	if (one.Running < one.Wanted || !used.Settled) && status.rolling(shown) {
		status.problem(StateRolling, "", "%s runs it in %d of %d pods", shown, one.Running, one.Wanted)
	}
	status.Workloads = append(status.Workloads, one)
}

// deployedTo tells whether deploy without flags goes to a workload.
func (r *statusRun) deployedTo(name string, used *workload.Used) bool {
	workloads := r.asked(name).Deploy.Workloads
	if len(workloads) == 0 {
		workloads = []string{"deployment/" + name}
	}
	is := kindless(used.Name)
	return slices.ContainsFunc(workloads, func(text string) bool {
		return used.Namespace == r.kube.namespace && text == is || text == used.Namespace+"/"+is
	})
}

// namedElsewhere tells whether the suite deploys the image to a workload of another
// namespace.
func (r *statusRun) namedElsewhere(name string, used *workload.Used) bool {
	_, workloadName, _ := strings.Cut(used.Name, "/")
	return slices.ContainsFunc(r.asked(name).Deploy.Workloads, func(text string) bool {
		return strings.HasPrefix(text, used.Namespace+"/") && strings.HasSuffix(text, "/"+workloadName)
	})
}

// rolling tells whether nothing else is wrong with a workload, so that time may
// bring its pods.
func (s *ImageStatus) rolling(name string) bool {
	return !slices.ContainsFunc(s.Problems, func(p Problem) bool { return p.State == StateDrifted && strings.HasPrefix(p.Text, name+" ") })
}

// pod holds what a pod's containers really run against the record.
func (r *statusRun) pod(status *ImageStatus, one *WorkloadStatus, evidence *record.Evidence, used *workload.Used, pod workload.UsedPod, matching map[string]corev1.Container) {
	right := len(matching) > 0
	for _, name := range sortedKeys(matching) {
		container, started := pod.Containers[name]
		if !started {
			right = false
			continue
		}
		runs := r.containers[container.ID]
		switch {
		case runs == evidence.ImageID:
			right = right && (container.Ready || r.isInit(used, name))
		case container.Image == evidence.Image:
			right = false
			status.problem(StateDrifted, "kubectl delete pod "+pod.Name+" -n "+used.Namespace, "%s: pod %s container %s on %s runs %s instead of the recorded %s",
				used.Name, pod.Name, name, pod.Node, orNothing(runs), evidence.ImageID)
		default:
			// Of the rollout before.
			right = false
		}
	}
	if right {
		one.Running++
	}
}

// kindless is KIND/NAME without the kind's group.
func kindless(name string) string {
	kind, rest, _ := strings.Cut(name, "/")
	kind, _, _ = strings.Cut(kind, ".")
	return kind + "/" + rest
}

func (r *statusRun) isInit(used *workload.Used, name string) bool {
	return slices.ContainsFunc(used.Template.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == name })
}

// aliases are what else means the image.
func (r *statusRun) aliases(name string, evidence *record.Evidence) []string {
	aliases := []string{evidence.Image, evidence.Source}
	for _, previous := range evidence.Previous {
		aliases = append(aliases, previous.Image)
	}
	for _, image := range r.in.Suite.Images {
		if image.Name == name {
			aliases = append(aliases, image.Source, image.Repository)
		}
	}
	return aliases
}

// stale compares a consumer's records with its lock and this host. What cannot be
// compared is not stale.
func (r *statusRun) stale(ctx context.Context, set *record.Set) map[string][]Problem {
	found := map[string][]Problem{}
	lock, err := r.client.openLock(r.in.Suite, set.Consumer)
	if err != nil {
		for _, name := range set.Names() {
			found[name] = []Problem{{State: StateStale, Text: err.Error()}}
		}
		return found
	}
	if lock == nil {
		return found
	}
	suite := r.in.Suite
	suite.Namespace, suite.Consumer = set.Namespace, set.Consumer
	for _, name := range set.Names() {
		image := r.asked(name)
		entry := lock.entry(image, r.in.Suite.Prebuilt)
		evidence, err := set.Entry(name)
		if entry == nil || err != nil || evidence == nil || evidence.State != record.Ready || !r.wanted(name) {
			continue
		}
		var problems []error
		before := entry.Image == "" || entry.Replaces(evidence.Image) || entry.Image == evidence.Image || after(entry, evidence)
		switch {
		case entry.ImageID == evidence.ImageID:
		case before:
			problems = append(problems, notTagged(recorded{Image: image, Evidence: evidence}, entry, suite))
		default:
			problems = append(problems, diverged(name, suite, lock.file.Path(), entry, set, evidence))
		}
		if lock.local {
			problems = append(problems, r.client.checkSource(ctx, image, entry, lock, suite))
		}
		for _, problem := range problems {
			if problem != nil {
				lines := strings.Split(problem.Error(), "\n")
				text := strings.Join(lines[:len(lines)-1], "; ")
				_, mend, _ := strings.Cut(lines[len(lines)-1], ": ")
				found[name] = append(found[name], Problem{State: StateStale, Text: strings.TrimPrefix(text, name+": "), Mend: mend})
			}
		}
	}
	return found
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
