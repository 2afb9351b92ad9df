package e2eimage

import (
	"fmt"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// workload adds a workload to the status of an image, if it uses that: by a
// container's image, or by the annotation that deploy leaves.
func (r *statusRun) workload(status *ImageStatus, set *record.Set, evidence *record.Evidence, aliases []string,
	used *rollout.Used,
) {
	if used.Consumer != "" && used.Consumer != set.Consumer {
		return
	}
	_, marked := used.Template.Annotations[kube.ImageIDPrefix+status.Name]
	owner := record.Owner(set.Namespace, set.Consumer, status.Name)
	foreign := func(image string) bool {
		// A repository may be shared; a tag stands for one record.
		of, known := r.recordedAs[undigested(image)]
		return known && of != owner
	}
	matches := func(image string) bool {
		match := ociimage.MatchReference(image, aliases...)
		return match == ociimage.Fully || match == ociimage.ByRepository && !foreign(image)
	}
	mend := r.typed("deploy", status.Name, set)
	one, shown := WorkloadStatus{Name: used.Name, Phase: used.Phase, Wanted: used.Wanted}, used.Name
	if used.Namespace != set.Namespace {
		one.Namespace, shown = used.Namespace, used.Namespace+"/"+kindless(used.Name)
	}
	if !r.deployedTo(status.Name, used) {
		mend += " --workload " + strings.TrimPrefix(used.Namespace+"/"+kindless(used.Name), set.Namespace+"/")
	}
	if used.Kind.Replaceable() {
		mend += " --replace"
	}
	if used.Namespace != set.Namespace && !r.deployedTo(status.Name, used) {
		// The same source and the same mark may be of a record there: only the
		// recorded tags mean this one.
		marked = false
		matches = func(image string) bool { return slices.Contains(evidence.Tags(), undigested(image)) }
	}
	matching := map[string]corev1.Container{}
	for _, container := range append(slices.Clone(used.Template.Spec.InitContainers), used.Template.Spec.Containers...) {
		if matches(container.Image) {
			matching[container.Name] = container
		}
	}
	switch {
	case len(matching) > 0:
	case !marked && r.named(status.Name, used):
		for _, container := range r.meant(status.Name, used) {
			if !foreign(container.Image) {
				matching[container.Name] = container
			}
		}
		if len(matching) == 0 {
			return
		}
	case !marked:
		return
	default:
		status.problem(StateDrifted, mend, "%s was deployed with it, but none of its containers has it any more", shown)
	}
	for _, name := range sortedKeys(matching) {
		container := matching[name]
		if !deployedAs(evidence).Is(container.Image) {
			status.problem(StateDrifted, mend, "%s is to run %s in container %s instead of %s", shown, container.Image, name,
				evidence.Reference())
		}
		if container.ImagePullPolicy == corev1.PullAlways && evidence.Registry == nil {
			status.problem(StateDrifted, mend,
				"%s always pulls the image of container %s, so it does not use the one on the node", shown, name)
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
		status.problem(r.rollout(&one, evidence, status.Name, used), "", "%s runs it in %d of %d pods%s",
			shown, one.Running, one.Wanted, behind(": ", one.Reason))
	}
	r.jobFailed(status, &one, evidence, used, shown)
	status.Workloads = append(status.Workloads, one)
}

// jobFailed says that a Job, or the last of a CronJob, has failed with what is recorded, or is
// about to: its pods crash again and again.
func (r *statusRun) jobFailed(status *ImageStatus, one *WorkloadStatus, evidence *record.Evidence, used *rollout.Used,
	shown string,
) {
	if used.Phase == "" || !status.rolling(shown) {
		return
	}
	one.FailedJob, one.Reason = used.FailedJob, used.Failure
	switch {
	case used.FailedJob == "":
		if r.rollout(one, evidence, status.Name, used) != StateFailed {
			one.Reason = ""
			return
		}
		status.problem(StateFailed, "", "%s: %s", shown, one.Reason)
	case strings.HasPrefix(used.Name, "job."):
		status.problem(StateFailed, "", "%s has failed: %s", shown, one.Reason)
	default:
		one.Reason = fmt.Sprintf("its last Job %s has failed: %s", used.FailedJob, used.Failure)
		status.problem(StateFailed, "", "%s: %s", shown, one.Reason)
	}
}

// notRunning says that no workload uses what is recorded, so that nothing is proved of it.
// The record does not know whether there ever was one.
func (r *statusRun) notRunning(status *ImageStatus, set *record.Set) {
	if len(status.Workloads) > 0 || r.needsNone(status.Name, set) {
		return
	}
	elsewhere := func(workload string) bool {
		return strings.Count(workload, "/") > 1 && !strings.HasPrefix(workload, r.kube.namespace+"/")
	}
	if len(r.unseen.Kinds) > 0 || r.unseen.OtherNamespaces &&
		slices.ContainsFunc(r.asked(status.Name).Deploy.Workloads, elsewhere) {
		r.client.report.Warn(fmt.Sprintf("%s: cannot tell whether anything runs %s: your user may not list all workloads",
			status.Name, status.Image))
		return
	}
	mend, elsewhose := r.typed("deploy", status.Name, set)+" -f FILE", ""
	for _, used := range r.used {
		if !r.deployedTo(status.Name, used) {
			continue
		}
		if other := r.otherUser(used, set, status.Name); other != "" {
			// Who deploys to it takes it from the other, which is not for a suggestion.
			mend, elsewhose = "", fmt.Sprintf("; %s runs that of %s", used.Name, other)
			break
		}
		// Without one, deploy would only ask for the workload.
		mend = r.typed("deploy", status.Name, set)
	}
	status.problem(StateNotRunning, mend, "nothing runs the recorded image %s of consumer %s%s", status.Image,
		set.Consumer, elsewhose)
}

// needsNone tells whether e2eimage.yaml has the image deployed to nothing. A record of
// another consumer or namespace is not what the file is about.
func (r *statusRun) needsNone(name string, set *record.Set) bool {
	suite := r.in.Suite
	others := suite.Hints.Consumer != "" && suite.Hints.Consumer != set.Consumer ||
		suite.Hints.Namespace != "" && suite.Hints.Namespace != set.Namespace
	return suite.File != "" && !others &&
		slices.ContainsFunc(slices.Concat(suite.Images, suite.Others), func(image config.Image) bool {
			return image.Name == name && len(image.Deploy.Workloads) == 0
		})
}

// otherUser is whose workload it is: that of a consumer whose mark it has, or of the record
// whose tag it runs, "" for nobody else's.
func (r *statusRun) otherUser(used *rollout.Used, set *record.Set, name string) string {
	if used.Consumer != "" && used.Consumer != set.Consumer {
		return "consumer " + used.Consumer
	}
	for _, container := range slices.Concat(used.Template.Spec.InitContainers, used.Template.Spec.Containers) {
		of, known := r.recordedAs[undigested(container.Image)]
		_, consumer, recorded, ok := record.ParseOwner(of)
		if known && ok && recorded == name && consumer != set.Consumer {
			return "consumer " + consumer
		}
	}
	return ""
}

// rollout is the state of a workload with pods still to come, of which it notes the reason.
func (r *statusRun) rollout(one *WorkloadStatus, evidence *record.Evidence, name string, used *rollout.Used) State {
	restarts := config.DefaultMaxRestarts
	if asked := r.asked(name); asked.Deploy.Timeout > 0 {
		restarts = asked.Deploy.MaxRestarts
	}
	failed := false
	image := deployedAs(evidence)
	image.MaxRestarts = restarts
	if one.Reason, failed = used.Trouble(image, time.Now()); failed {
		return StateFailed
	}
	return StateRolling
}

// behind is a text with what stands before it, if there is one.
func behind(before, text string) string {
	if text == "" {
		return ""
	}
	return before + text
}

// deployedTo tells whether deploy without flags goes to a workload.
func (r *statusRun) deployedTo(name string, used *rollout.Used) bool {
	workloads := r.asked(name).Deploy.Workloads
	if len(workloads) == 0 {
		workloads = []string{"deployment/" + name}
	}
	return slices.ContainsFunc(workloads, func(text string) bool {
		return kube.RefersTo(text, r.kube.namespace, used.Namespace, used.Name)
	})
}

// named tells whether e2eimage.yaml has the image deployed to a workload.
func (r *statusRun) named(name string, used *rollout.Used) bool {
	has := 0
	for _, set := range r.sets {
		if slices.Contains(set.Names(), name) {
			has++
		}
	}
	// Of several consumers it is not said for whose.
	return has == 1 && r.in.Suite.File != "" && len(r.asked(name).Deploy.Workloads) > 0 && r.deployedTo(name, used)
}

// meant are the containers that a deployment would set where none has the image: those
// that the suite names, else the only one.
func (r *statusRun) meant(name string, used *rollout.Used) []corev1.Container {
	spec, wanted := used.Template.Spec, r.asked(name).Deploy.Containers
	if len(wanted) == 0 && len(spec.Containers) == 1 && len(spec.InitContainers) == 0 {
		return spec.Containers
	}
	return slices.DeleteFunc(slices.Concat(spec.InitContainers, spec.Containers), func(c corev1.Container) bool {
		return !slices.Contains(wanted, c.Name)
	})
}

// rolling tells whether nothing else is wrong with a workload, so that time may
// bring its pods.
func (s *ImageStatus) rolling(name string) bool {
	return !slices.ContainsFunc(s.Problems, func(p Problem) bool {
		return p.State == StateDrifted && strings.HasPrefix(p.Text, name+" ")
	})
}

// pod holds what a pod's containers really run against the record.
func (r *statusRun) pod(status *ImageStatus, one *WorkloadStatus, evidence *record.Evidence, used *rollout.Used,
	pod rollout.UsedPod, matching map[string]corev1.Container,
) {
	right := len(matching) > 0
	for _, name := range sortedKeys(matching) {
		container, started := pod.Containers[name]
		if !started {
			right = false
			continue
		}
		runs := r.runs(evidence, container)
		switch {
		case runs == evidence.ImageID:
			right = right && (container.Ready || r.isInit(used, name))
		case runs == "":
			// Started since the nodes were asked.
			right = false
		case deployedAs(evidence).Is(container.Image):
			right = false
			status.problem(StateDrifted, suggested{r.in.Suite}.Kubectl("delete", "pod", pod.Name, "-n", used.Namespace),
				"%s: pod %s container %s on %s runs %s instead of the recorded %s",
				used.Name, pod.Name, name, pod.Node, orNothing(runs), evidence.ImageID)
		default:
			// Of the rollout before.
			right = false
		}
	}
	if right {
		one.Running++
		one.Pods = append(one.Pods, pod.Name)
	}
}

// kindless is KIND/NAME without the kind's group.
func kindless(name string) string {
	kind, rest, _ := strings.Cut(name, "/")
	kind, _, _ = strings.Cut(kind, ".")
	return kind + "/" + rest
}

func (r *statusRun) isInit(used *rollout.Used, name string) bool {
	return slices.ContainsFunc(used.Template.Spec.InitContainers, func(c corev1.Container) bool { return c.Name == name })
}
