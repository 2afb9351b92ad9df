package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// objects is how many ConfigMaps stand beside the Deployment in the manifests.
const objects = 60

// apply is what people do instead of deploy -f.
const apply = `set -eu
kubectl apply --server-side -n "$NAMESPACE" -f "$1" >/dev/null
kubectl rollout status -n "$NAMESPACE" deployment/applied --timeout 120s >/dev/null`

// manifests measures deploy -f against kubectl apply, with the image right in what
// that is given. What is measured is that nothing changes, then that the ConfigMaps
// do: no pod starts, which would cost both the same.
func (b *bench) manifests(ctx context.Context) error {
	common := []string{"-n", namespace, "--consumer", "bench-manifests", "--kind-cluster", b.cluster}
	image, err := b.output(ctx, append([]string{"kubectl-e2eimage", "tag", "applied", "-q", "--source", source}, common...)...)
	if err != nil {
		return err
	}
	file := func(name, image string, round int) (string, error) {
		text := strings.ReplaceAll(fmt.Sprintf(deployment, name), source, image)
		for i := range objects {
			text += fmt.Sprintf("---\napiVersion: v1\nkind: ConfigMap\nmetadata: {name: %s-%d}\ndata: {round: '%d'}\n", name, i, round)
		}
		path := filepath.Join(b.dir, name+".yaml")
		return path, os.WriteFile(path, []byte(text), 0o644)
	}
	run := func(round int) (ours, theirs time.Duration, err error) {
		mine, err := file("manifested", "e2eimage://applied", round)
		if err != nil {
			return 0, 0, err
		}
		peer, err := file("applied", strings.TrimSpace(image), round)
		if err != nil {
			return 0, 0, err
		}
		if ours, err = b.time(ctx, append([]string{"kubectl-e2eimage", "deploy", "applied", "-q", "-f", mine}, common...)...); err != nil {
			return 0, 0, err
		}
		theirs, err = b.time(ctx, "bash", "-c", apply, "apply", peer)
		return ours, theirs, err
	}
	for _, measured := range []struct {
		what    string
		changes int
	}{{"nothing changed", 0}, {"all of the ConfigMaps changed", 1}} {
		if _, _, err := run(0); err != nil {
			return err
		}
		var ours, theirs []time.Duration
		for round := range b.rounds {
			mine, peer, err := run((round + 1) * measured.changes)
			if err != nil {
				return err
			}
			ours, theirs = append(ours, mine), append(theirs, peer)
		}
		b.add(fmt.Sprintf("`deploy -f` of %d objects, %s, against `kubectl apply --server-side` + `rollout status`", objects+1, measured.what),
			spread(ours), spread(theirs), ratio(ours, theirs), "")
	}
	return nil
}
