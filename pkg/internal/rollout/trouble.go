package rollout

import (
	"slices"
	"time"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Trouble says in a few words what keeps pods of the image from being ready, "" while it
// may be just their time. Failed is set where a deployment that waits gives up: then time
// alone brings nothing.
func (u *Used) Trouble(image kube.Image, now time.Time) (words string, failed bool) {
	of := func(reference string) home {
		if image.Is(reference) {
			return homeOf(image)
		}
		return elsewhere
	}
	var pods []*corev1.Pod
	for _, used := range u.Pods {
		has := slices.ContainsFunc(kube.Containers(&used.pod.Spec), func(c corev1.Container) bool {
			return image.Is(c.Image)
		})
		if podReady(used.pod) || !has {
			continue
		}
		pods = append(pods, used.pod)
		lasts := now.Sub(used.pod.CreationTimestamp.Time) >= lastingAfter
		problems := containerProblems(used.pod, of, image.MaxRestarts)
		failed = failed || lasts && unscheduled(used.pod) != nil ||
			slices.ContainsFunc(problems, func(p problem) bool {
				return p.atOnce || lasts && p.class != classPullAgain
			})
	}
	return worstTrouble(pods), failed
}
