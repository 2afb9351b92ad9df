package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"time"
)

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
        readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}
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
	calls := 0
	for round := range b.rounds {
		image := variant([]string{"a", "b"}[round%2])
		if _, err := b.output(ctx, "kubectl", "e2eimage", "tag", "datastorage", "--source", image, "--consumer", "bench", "-n", namespace); err != nil {
			return err
		}
		took, err := b.time(ctx, deploy...)
		if err != nil {
			return err
		}
		ours = append(ours, took)
		if took, err = b.time(ctx, "bash", "-c", set, "set", image); err != nil {
			return err
		}
		theirs = append(theirs, took)
		if took, err = b.time(ctx, deploy...); err != nil {
			return err
		}
		unchanged = append(unchanged, took)
	}
	// A last one that tells its calls.
	_, err := b.output(ctx, "kubectl", "e2eimage", "tag", "datastorage", "--source", source, "--consumer", "bench", "-n", namespace)
	if err != nil {
		return err
	}
	command := exec.CommandContext(ctx, deploy[0], append(deploy[1:], "-v", "6")...)
	out, err := command.CombinedOutput()
	if err != nil {
		return fmt.Errorf("deploy: %w: %s", err, out)
	}
	// A watch is told when it ends, which it does not: three of them.
	calls = strings.Count(string(out), `"Response"`) + strings.Count(string(out), `"Caches populated"`)
	b.add("`deploy` against `kubectl set image` + `rollout status`", spread(ours), spread(theirs),
		fmt.Sprintf("%+.2f s", (median(ours)-median(theirs)).Seconds()), "+0.3 s at most")
	b.add("API calls of that `deploy`", fmt.Sprint(calls), "", "", "10 at most")
	b.add("`deploy`, nothing to do", spread(unchanged), "", "", "under 0.6 s")
	return nil
}
