package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// waitAndProve waits for the rollouts and proves what runs then. A container that has
// ended by the time that its node is asked was ready for a moment only, as in a crash
// loop: the rollout is waited for further, as is one whose pod went meanwhile.
func (d *deployRun) waitAndProve(ctx context.Context, rollouts *rollout.Rollouts) ([]ProvedContainer, error) {
	p := &proof{
		run: d, ask: d.place.Containers, stands: rollouts.StillRuns, ended: rollouts.Ended,
		before: map[string]bool{}, lost: map[string]bool{},
	}
	for {
		if err := d.wait(ctx, rollouts); err != nil {
			return []ProvedContainer{}, err
		}
		proved, dead, err := p.look(ctx, rollouts.Running())
		if len(dead) == 0 || err != nil {
			return proved, err
		}
		rollouts.MarkDead(dead)
	}
}

// proof compares what each container runs, as its node's CRI says, with the
// record. A pod's own status is no proof: it names images by any of their tags.
type proof struct {
	run *deployRun
	// ask asks the nodes what they run, and stands whether a pod still has a container.
	ask    func(context.Context, []string) (kindnode.States, error)
	stands func(context.Context, rollout.Running) (bool, error)
	// ended are the IDs of those that do not run any more, as their pods say.
	ended func(context.Context, []rollout.Running) ([]string, error)
	// before are the IDs of containers that were proved already: those that have ended
	// may be gone from their nodes by now.
	before map[string]bool
	// lost are those that could not be proved, which is said once.
	lost map[string]bool
}

// look returns what is proved. dead are containers that have ended, though their pods
// have not, or that went with their pods.
func (p *proof) look(ctx context.Context,
	running []rollout.Running,
) (proved []ProvedContainer, dead []string, err error) {
	proved = []ProvedContainer{}
	if len(running) == 0 {
		p.run.client.report.Warn("no container runs, so nothing could be verified")
		return proved, nil, nil
	}
	wanted := map[string]*record.Evidence{}
	for _, r := range p.run.records {
		wanted[r.Image.Name] = r.Evidence
	}
	states, ended, err := p.runs(ctx, running, wanted)
	if err != nil {
		return proved, nil, err
	}
	var mistakes []error
	for _, container := range running {
		evidence := wanted[container.ImageName]
		really, exited := imageOf(container.ContainerID, states[container.Node])
		if evidence.Registry != nil {
			really, exited = runsPulled(evidence, container.ImageID), slices.Contains(ended, container.ContainerID)
		}
		if p.before[container.ContainerID] {
			really, exited = evidence.ImageID, false
		}
		if really == "" && (container.Ended || container.Init) {
			if p.lost[container.ContainerID] {
				continue
			}
			p.lost[container.ContainerID] = true
			p.run.client.report.Warn(fmt.Sprintf("container %s of pod %s/%s has ended and is gone from node %s, so its image "+
				"could not be verified",
				container.Container, container.Namespace, container.Pod, container.Node))
			continue
		}
		if really == "" {
			stands, err := p.stands(ctx, container)
			if err != nil {
				return proved, nil, err
			}
			exited = !stands
		}
		if exited && !container.Ended && !container.Init {
			dead = append(dead, container.ContainerID)
			continue
		}
		if really != evidence.ImageID {
			mistakes = append(mistakes, fmt.Errorf("pod %s/%s container %s on node %s runs %s instead of the recorded %s (%s)",
				container.Namespace, container.Pod, container.Container, container.Node, orNothing(really), evidence.ImageID,
				evidence.Image))
			continue
		}
		p.before[container.ContainerID] = true
		proved = append(proved, ProvedContainer{
			Namespace: container.Namespace, Pod: container.Pod, Container: container.Container, Node: container.Node,
			Image: evidence.Image, ImageID: really,
		})
	}
	if len(mistakes) > 0 {
		return proved, nil, &InconsistentError{errors.Join(mistakes...)}
	}
	return proved, dead, nil
}

// runs asks the nodes of the containers whose images are on them, and the pods of the others.
func (p *proof) runs(ctx context.Context, running []rollout.Running, wanted map[string]*record.Evidence,
) (states kindnode.States, ended []string, err error) {
	var onNodes, pulled []rollout.Running
	for _, container := range running {
		if wanted[container.ImageName].Registry == nil {
			onNodes = append(onNodes, container)
		} else {
			pulled = append(pulled, container)
		}
	}
	if len(onNodes) > 0 {
		states, err = p.states(ctx, onNodes)
	}
	if err == nil && len(pulled) > 0 {
		ended, err = p.endedSince(ctx, pulled)
	}
	return states, ended, err
}

// endedSince are those of the pulled containers that ended as soon as they had begun, once they
// are old enough. A status counts in seconds.
func (p *proof) endedSince(ctx context.Context, running []rollout.Running) ([]string, error) {
	var longest time.Duration
	for _, one := range running {
		if !one.Probed && !one.Ended && !one.Init && !one.Started.IsZero() {
			longest = max(longest, proofAge+time.Second-time.Since(one.Started))
		}
	}
	if longest <= 0 {
		return nil, nil
	}
	select {
	case <-time.After(min(longest, proofAge+time.Second)):
		return p.ended(ctx, running)
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
}

// states asks the nodes, once the containers are old enough.
func (p *proof) states(ctx context.Context, running []rollout.Running) (kindnode.States, error) {
	on, pods := map[string]bool{}, map[string]bool{}
	for _, container := range running {
		on[container.Node], pods[container.Namespace+"/"+container.Pod] = true, true
	}
	nodes := sortedKeys(on)
	verifying := p.run.client.report.Start(step("Verifying", "Verified", progress.Counted(len(pods), "pod")))
	states, err := p.ask(ctx, nodes)
	if left := tooYoung(running, states, time.Now()); err == nil && left > 0 {
		select {
		case <-time.After(left):
			states, err = p.ask(ctx, nodes)
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	verifying.End(err)
	return states, err
}

// proofAge is how old a container is to be that no probe says anything of: a program
// that cannot run ends within that time, and until then its pod counts as ready.
const proofAge = 400 * time.Millisecond

// tooYoung is how long to wait until all containers are that old.
func tooYoung(running []rollout.Running, states kindnode.States, now time.Time) time.Duration {
	var longest time.Duration
	for _, one := range running {
		if one.Probed || one.Ended || one.Init {
			continue
		}
		for _, container := range states[one.Node].Containers {
			if container.ID == one.ContainerID {
				longest = max(longest, proofAge-now.Sub(container.Created))
			}
		}
	}
	return min(longest, proofAge)
}

func imageOf(containerID string, state kindnode.State) (imageID string, exited bool) {
	for _, container := range state.Containers {
		if container.ID == containerID {
			return container.ImageRef, container.Exited
		}
	}
	return "", false
}

func orNothing(imageID string) string {
	if imageID == "" {
		return "an image that its node does not list"
	}
	return imageID
}
