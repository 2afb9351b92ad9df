package e2eimage

import (
	"context"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/apply"
)

// Up builds, loads, tags and deploys the images, and repeats nothing that is true already.
// It returns when the workloads are ready and were seen to run exactly those images. Images
// that were recorded before an error come with it.
func (s *Suite) Up(ctx context.Context, options ...Option) (*Images, error) {
	chosen, suite, manifests, err := s.call(ctx, VerbUp, options)
	if err != nil {
		return nil, err
	}
	result, err := s.client.Up(ctx, chosen.upInput(suite, manifests))
	err = s.explained(ctx, chosen, DiagnoseInput{Suite: suite}, err)
	if result == nil {
		return nil, err
	}
	s.note(result.Deployed, chosen.dry())
	if len(result.Images) == 0 && err != nil {
		return nil, err
	}
	images := result.recorded
	if images == nil {
		images = &Images{Consumer: suite.Consumer, Namespace: suite.Namespace, From: UseCluster, Images: result.Images}
	}
	return s.told(ctx, suite, images), err
}

// Deploy makes workloads run exactly the recorded images: it patches those of the suite, or
// applies manifests, waits for the rollouts, and proves what runs. What was changed before an
// error comes with it.
func (s *Suite) Deploy(ctx context.Context, options ...Option) (*DeployResult, error) {
	chosen, suite, manifests, err := s.call(ctx, VerbDeploy, options)
	if err != nil {
		return nil, err
	}
	result, err := s.client.Deploy(ctx, chosen.deployInput(suite, manifests))
	s.note(result, chosen.dry())
	return result, s.explained(ctx, chosen, DiagnoseInput{Suite: suite}, err)
}

// note remembers what was applied, for RemoveWorkloads.
func (s *Suite) note(result *DeployResult, dry bool) {
	if result == nil || dry {
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, one := range result.Workloads {
		if one.Action == string(apply.Created) || one.Action == string(apply.Configured) {
			s.applied = append(s.applied, one)
		}
	}
}
