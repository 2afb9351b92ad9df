package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// removeWorkloads deletes what the suite deployed: workloads with its consumer's mark, and
// what it applied of other kinds. Of a part of the suite only the workloads that were
// deployed for its images go.
func (s *Suite) removeWorkloads(ctx context.Context, suite config.Suite) error {
	consumer, err := s.client.consumerOf(ctx, suite)
	if err != nil {
		return err
	}
	server, err := s.client.kube(suite)
	if err != nil {
		return err
	}
	var doomed []kube.Target
	for _, namespace := range s.namespaces(suite, server.namespace) {
		marked, unseen, err := apply.Marked(ctx, server, namespace, consumer)
		if err != nil {
			return err
		}
		if len(unseen) > 0 {
			s.client.report.Warn(fmt.Sprintf("you may not list %s in namespace %s: those that were deployed are left",
				strings.Join(unseen, ", "), namespace))
		}
		for _, one := range marked {
			if !suite.Part || runsAny(one, suite.Images) {
				doomed = append(doomed, one)
			}
		}
	}
	if len(doomed) > 0 {
		names := make([]string, 0, len(doomed))
		for _, one := range doomed {
			names = append(names, one.Ref.String())
		}
		list := strings.Join(names, ", ")
		removing := s.client.report.Start(step("Deleting", "Deleted", list))
		err := apply.Remove(ctx, server, doomed)
		removing.End(err)
		if err != nil {
			return err
		}
	}
	if suite.Part {
		return nil
	}
	return s.removeApplied(ctx, server)
}

// namespaces are those in which the suite can have deployed.
func (s *Suite) namespaces(suite config.Suite, own string) []string {
	all := []string{own}
	for _, image := range suite.Images {
		for _, workload := range image.Deploy.Workloads {
			if ref, err := kube.ParseReference(workload, own); err == nil {
				all = append(all, ref.Namespace)
			}
		}
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range s.applied {
		if one.Namespace != "" {
			all = append(all, one.Namespace)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// runsAny tells whether a workload was deployed for one of the images.
func runsAny(workload kube.Target, images []config.Image) bool {
	ids := kube.ImageIDs(workload.Object.Template.Annotations)
	return slices.ContainsFunc(images, func(image config.Image) bool {
		_, has := ids[kube.ImageIDPrefix+image.Name]
		return has
	})
}

// removeApplied deletes what this Suite applied, the last first. What cannot be deleted does
// not keep the others.
func (s *Suite) removeApplied(ctx context.Context, server *apiServer) error {
	s.mu.Lock()
	applied := slices.Clone(s.applied)
	s.mu.Unlock()
	if len(applied) == 0 {
		return nil
	}
	cluster, err := s.client.manifestCluster(server)
	if err != nil {
		return err
	}
	var failed []error
	var left []DeployedWorkload
	slices.Reverse(applied)
	for _, one := range applied {
		removed, err := cluster.RemoveApplied(ctx, one.Name, one.Namespace, one.Action == string(apply.Created))
		if err != nil {
			failed, left = append(failed, err), append(left, one)
		}
		if removed {
			s.client.report.Info(one.Name + " deleted")
		}
	}
	slices.Reverse(left)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.applied = left
	return errors.Join(failed...)
}
