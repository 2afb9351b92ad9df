package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"time"
)

// deployment has no readiness probe: the second between two probes would be all
// that is seen.
const deployment = `
apiVersion: apps/v1
kind: Deployment
metadata: {name: %[1]s}
spec:
  replicas: 1
  selector: {matchLabels: {app: %[1]s}}
  template:
    metadata: {labels: {app: %[1]s}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
      - name: service
        image: localhost/bench-service:dev
        imagePullPolicy: Never
`

// set is what people do instead of deploy.
const set = `set -eu
kubectl set image -n "$NAMESPACE" deployment/peer service="$1" >/dev/null
kubectl rollout status -n "$NAMESPACE" deployment/peer --timeout 120s >/dev/null`

func (b *bench) deploys(ctx context.Context) error {
	for _, name := range []string{"datastorage", "peer"} {
		command := exec.CommandContext(ctx, "kubectl", "apply", "-n", namespace, "-f", "-")
		command.Stdin, command.Stderr = strings.NewReader(fmt.Sprintf(deployment, name)), os.Stderr
		if err := command.Run(); err != nil {
			return fmt.Errorf("apply: %w", err)
		}
		if _, err := b.output(ctx, "kubectl", "rollout", "status", "-n", namespace, "deployment/"+name, "--timeout", "120s"); err != nil {
			return err
		}
	}
	deploy := []string{"kubectl", "e2eimage", "deploy", "datastorage", "--consumer", "bench", "-n", namespace}
	var ours, unchanged, theirs []time.Duration
	for round := range b.rounds {
		image := variant([]string{"a", "b"}[round%2])
		if _, err := b.output(ctx, "kubectl", "e2eimage", "tag", "datastorage", "--source", image, "--consumer", "bench", "-n", namespace); err != nil {
			return err
		}
		measured := []struct {
			into *[]time.Duration
			argv []string
		}{{&ours, deploy}, {&theirs, []string{"bash", "-c", set, "set", image}}}
		if round%2 == 1 {
			slices.Reverse(measured)
		}
		for _, m := range measured {
			if err := b.settled(ctx); err != nil {
				return err
			}
			took, err := b.time(ctx, m.argv...)
			if err != nil {
				return err
			}
			*m.into = append(*m.into, took)
		}
	}
	if err := b.settled(ctx); err != nil {
		return err
	}
	for range b.rounds {
		took, err := b.time(ctx, deploy...)
		if err != nil {
			return err
		}
		unchanged = append(unchanged, took)
	}
	// A last one that tells its calls. A watch is told when it ends, which these do
	// not; that its cache is filled is told instead.
	_, err := b.output(ctx, "kubectl", "e2eimage", "tag", "datastorage", "--source", source, "--consumer", "bench", "-n", namespace)
	if err != nil {
		return err
	}
	calls, err := b.calls(ctx, append(slices.Clone(deploy), "-v", "6")...)
	if err != nil {
		return err
	}
	b.add("`deploy` against `kubectl set image` + `rollout status`", spread(ours), spread(theirs),
		fmt.Sprintf("%+.2f s", (median(ours)-median(theirs)).Seconds()), "+0.3 s at most")
	b.add("API calls of that `deploy`", fmt.Sprint(calls), "", "", "10 at most")
	b.add("`deploy`, nothing to do", spread(unchanged), "", "", "under 0.6 s")
	return nil
}

// settled waits until the pods that were replaced are gone: ending them is work
// for the machine that is measured on.
func (b *bench) settled(ctx context.Context) error {
	tick := time.NewTicker(time.Second)
	defer tick.Stop()
	for {
		pods, err := b.output(ctx, "kubectl", "get", "pods", "-n", namespace, "-o", "name")
		if err != nil || len(strings.Fields(pods)) == 2 {
			return err
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-tick.C:
		}
	}
}

// calls counts the requests to the API that a command with -v 6 tells of.
func (b *bench) calls(ctx context.Context, argv ...string) (int, error) {
	command, err := b.command(ctx, argv...)
	if err != nil {
		return 0, err
	}
	out, err := command.CombinedOutput()
	if err != nil {
		return 0, fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
	}
	return strings.Count(string(out), `"Response"`) + strings.Count(string(out), `"Caches populated"`), nil
}
