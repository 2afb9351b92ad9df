package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/workload"
)

// waitAndProve waits for the rollouts and proves what runs then. A container that has
// ended by the time that its node is asked was ready for a moment only, as in a crash
// loop: the rollout is waited for further.
func (d *deployRun) waitAndProve(ctx context.Context, plan *workload.Plan) ([]ProvedContainer, error) {
	for {
		if err := d.wait(ctx, plan); err != nil {
			return []ProvedContainer{}, err
		}
		proved, dead, err := d.prove(ctx, plan.Running())
		if len(dead) == 0 || err != nil {
			return proved, err
		}
		plan.Dead(dead)
	}
}

// prove compares what each container runs, as its node's CRI says, with the
// record. A pod's own status is no proof: it names images by any of their tags. dead
// are containers that have ended, though their pods have not.
func (d *deployRun) prove(ctx context.Context, running []workload.Running) (proved []ProvedContainer, dead []string, err error) {
	proved = []ProvedContainer{}
	nodes := map[string]bool{}
	for _, container := range running {
		nodes[container.Node] = true
	}
	if len(running) == 0 {
		d.client.report.Warn("no container runs: nothing could be proved")
		return proved, nil, nil
	}
	end := d.client.report.Start("prove what runs on " + few(sortedKeys(nodes)))
	states, err := d.cluster.Containers(ctx, sortedKeys(nodes))
	if left := tooYoung(running, states, time.Now()); err == nil && left > 0 {
		select {
		case <-time.After(left):
			states, err = d.cluster.Containers(ctx, sortedKeys(nodes))
		case <-ctx.Done():
			err = context.Cause(ctx)
		}
	}
	end(err)
	if err != nil {
		return proved, nil, classify(err)
	}
	wanted := map[string]*record.Evidence{}
	for _, r := range d.records {
		wanted[r.Image.Name] = r.Evidence
	}
	var mistakes []error
	for _, container := range running {
		evidence := wanted[container.ImageName]
		really, exited := imageOf(container.ContainerID, states[container.Node])
		if exited && !container.Ended && !container.Init {
			dead = append(dead, container.ContainerID)
			continue
		}
		if really == "" && container.Ended {
			d.client.report.Warn(fmt.Sprintf("pod %s/%s has ended and its container %s is gone from node %s: what it ran could not be proved",
				container.Namespace, container.Pod, container.Container, container.Node))
			continue
		}
		if really != evidence.ImageID {
			mistakes = append(mistakes, fmt.Errorf("pod %s/%s container %s on node %s runs %s instead of the recorded %s (%s)",
				container.Namespace, container.Pod, container.Container, container.Node, orNothing(really), evidence.ImageID, evidence.Image))
			continue
		}
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

// proofAge is how old a container is to be that no probe says anything of: a program
// that cannot run ends within that time, and until then its pod counts as ready.
const proofAge = 400 * time.Millisecond

// tooYoung is how long to wait until all containers are that old.
func tooYoung(running []workload.Running, states map[string]kindnode.State, now time.Time) time.Duration {
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
		return "something its node's CRI does not list"
	}
	return imageID
}
