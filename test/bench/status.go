package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

const (
	statusNamespace = "bench-status"
	// statusRecords are recorded; statusPods run, statusReplicas for each Deployment,
	// which come one after the other: a small machine does not start 200 at once.
	statusRecords, statusPods, statusReplicas = 50, 200, 5
)

// status measures the report over many records and pods.
func (b *bench) status(ctx context.Context) error {
	config := filepath.Join(b.dir, "status.yaml")
	defer func() {
		_, _ = b.output(context.WithoutCancel(ctx), "kubectl", "delete", "namespace", statusNamespace, "--wait")
		_, _ = b.output(context.WithoutCancel(ctx), "kubectl-e2eimage", "clean", "-q", "--orphans", "--older-than", "1ms", "--kind-cluster", b.cluster, "--kubeconfig", b.kubeconfig)
	}()
	var names []string
	for i := range statusRecords {
		names = append(names, fmt.Sprintf("image-%d", i))
	}
	if err := writeConfig(config, names); err != nil {
		return err
	}
	common := []string{"-n", statusNamespace, "--config", config, "--consumer", "bench-status", "--kind-cluster", b.cluster}
	if _, err := b.output(ctx, append([]string{"kubectl-e2eimage", "tag", "-q", "--create-namespace"}, common...)...); err != nil {
		return err
	}
	file := filepath.Join(b.dir, "pods.yaml")
	for i := range statusPods / statusReplicas {
		// On every node, so that none has more than it can.
		one := strings.Replace(fmt.Sprintf(deployment, names[i]), "replicas: 1", fmt.Sprintf("replicas: %d", statusReplicas), 1)
		one = strings.Replace(one, "      containers:", "      tolerations: [{operator: Exists}]\n      containers:", 1)
		if err := os.WriteFile(file, []byte(strings.ReplaceAll(one, source, "e2eimage://"+names[i])), 0o644); err != nil {
			return err
		}
		if _, err := b.output(ctx, append([]string{"kubectl-e2eimage", "deploy", names[i], "-q", "-f", file}, common...)...); err != nil {
			return err
		}
	}
	status := append([]string{"kubectl-e2eimage", "status"}, common...)
	var times []time.Duration
	for range b.rounds {
		took, err := b.time(ctx, status...)
		if err != nil {
			return err
		}
		times = append(times, took)
	}
	calls, err := b.calls(ctx, append(status, "-v", "6")...)
	if err != nil {
		return err
	}
	b.add(fmt.Sprintf("`status` over %d records and %d pods", statusRecords, statusPods), spread(times), "", "", "under 1.5 s")
	b.add("API calls of that `status`", fmt.Sprint(calls), "", "", "under 15")
	return nil
}
