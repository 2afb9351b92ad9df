package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"golang.org/x/sync/errgroup"
	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

const (
	// maxDiagnosedPods bounds how many pods are looked at, those first that are not ready.
	maxDiagnosedPods = 50
	// parallelLogs is how many logs are read at once.
	parallelLogs = 8
)

// workloads writes those of the suite and whatever runs its images: with pods, logs and the
// events of their namespaces.
func (d *diagnosis) workloads(ctx context.Context) error {
	all, unseen, failed := rollout.Gather(ctx, d.kube, d.kube.namespace)
	for _, kind := range unseen.Kinds {
		d.folder.Lack(kind, errors.New("your user may not list them"))
	}
	if unseen.OtherNamespaces {
		d.folder.Lack("other namespaces", errors.New("your user may not list what is in them"))
	}
	namespaces := map[string]bool{d.kube.namespace: true}
	var pods []*corev1.Pod
	for _, one := range all {
		if !d.isOurs(one) {
			continue
		}
		namespaces[one.Namespace] = true
		pods = append(pods, one.Pods...)
		if one.Kind != kube.Pod {
			d.folder.YAML(fmt.Sprintf("namespaces/%s/%s-%s.yaml", one.Namespace, one.Kind, one.Name), one.Object)
		}
	}
	var events []corev1.Event
	for _, namespace := range sortedKeys(namespaces) {
		events = append(events, d.events(ctx, namespace)...)
	}
	d.pods(ctx, pods, events)
	return failed
}

// isOurs tells whether a workload has to do with the suite.
func (d *diagnosis) isOurs(one *rollout.Gathered) bool {
	for _, failed := range Errors(d.in.Failure) {
		if failed.Rollout != nil && failed.Namespace == one.Namespace && failed.Workload == one.String() {
			return true
		}
	}
	names := map[string]bool{}
	for _, set := range d.sets {
		if one.Consumer == set.Consumer {
			return true
		}
		for _, name := range set.Names() {
			if evidence, err := set.Entry(name); err == nil && evidence != nil {
				for _, tag := range evidence.Tags() {
					names[tag] = true
				}
			}
		}
	}
	for _, image := range slices.Concat(d.in.Suite.Images, d.in.Suite.Others) {
		if slices.ContainsFunc(image.Deploy.Workloads, func(text string) bool {
			return kube.RefersTo(text, d.kube.namespace, one.Namespace, one.String())
		}) {
			return true
		}
		if one.Namespace == d.kube.namespace {
			for _, spelt := range spellings(image.Source, image.External) {
				names[spelt] = true
			}
		}
	}
	return one.Runs(func(image string) bool {
		return slices.ContainsFunc(spellings(image), func(spelt string) bool { return names[spelt] })
	})
}

// events writes those of a namespace.
func (d *diagnosis) events(ctx context.Context, namespace string) []corev1.Event {
	events, err := rollout.Events(ctx, d.kube, namespace)
	if err != nil {
		d.folder.Lack("events of namespace "+namespace, d.why(ctx, err))
		return nil
	}
	var text strings.Builder
	for _, event := range events {
		text.WriteString(rollout.DescribeEvent(event) + "\n")
	}
	d.folder.Text("namespaces/"+namespace+"/events.txt", text.String())
	return events
}

// pods writes how each pod is, and its logs.
func (d *diagnosis) pods(ctx context.Context, pods []*corev1.Pod, events []corev1.Event) {
	slices.SortStableFunc(pods, func(a, b *corev1.Pod) int {
		switch {
		case rollout.IsReady(a) == rollout.IsReady(b):
			return 0
		case rollout.IsReady(b):
			return -1
		}
		return 1
	})
	if over := len(pods) - maxDiagnosedPods; over > 0 {
		d.folder.Lack("pods", fmt.Errorf("%d of %d are left out", over, len(pods)))
		pods = pods[:maxDiagnosedPods]
	}
	var reading errgroup.Group
	reading.SetLimit(parallelLogs)
	for _, pod := range pods {
		path := "namespaces/" + pod.Namespace + "/pods/" + pod.Name
		pod.ManagedFields, pod.APIVersion, pod.Kind = nil, "v1", "Pod"
		d.folder.YAML(path+".yaml", pod)
		d.folder.Text(path+".txt", rollout.DescribePod(pod, events))
		for _, status := range kube.ContainerStatuses(pod) {
			if status.ContainerID != "" {
				reading.Go(func() error { return d.log(ctx, pod, path, status.Name, false) })
			}
			if status.RestartCount > 0 {
				reading.Go(func() error { return d.log(ctx, pod, path, status.Name, true) })
			}
		}
	}
	_ = reading.Wait() // each notes what it lacks
}

func (d *diagnosis) log(ctx context.Context, pod *corev1.Pod, path, container string, previous bool) error {
	path += "/" + container
	if previous {
		path += ".previous"
	}
	text, err := rollout.ContainerLog(ctx, d.kube, pod, container, previous)
	if err != nil {
		d.folder.Lack(path+".log", d.why(ctx, err))
	}
	if text != "" || err == nil {
		d.folder.Text(path+".log", text)
	}
	return nil
}
