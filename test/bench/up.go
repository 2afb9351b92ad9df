package main

import (
	"context"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"
)

const upName = "upservice"

// ups measures up after a change of one line, from the end of the engine's build on,
// and without a change against a deploy that has nothing to do, either.
func (b *bench) ups(ctx context.Context) error {
	dir := filepath.Join(b.dir, "up")
	defer func() {
		_, _ = b.output(context.WithoutCancel(ctx), "kubectl-e2eimage", "clean", "--force", "-q", "-n", namespace, "--config", filepath.Join(dir, "e2eimage.yaml"))
		_, _ = b.output(context.WithoutCancel(ctx), b.provider, "image", "rm", "--force", "localhost/bench-up:dev")
	}()
	if err := b.upFiles(ctx, dir); err != nil {
		return err
	}
	config := []string{"-q", "-n", namespace, "--config", filepath.Join(dir, "e2eimage.yaml"), "--kind-cluster", b.cluster}
	up := append([]string{"kubectl-e2eimage", "up", "-o", "json"}, config...)
	var afterBuild, again, deploys []time.Duration
	for round := range b.rounds + 1 {
		if err := os.WriteFile(filepath.Join(dir, "code", "line"), fmt.Appendf(nil, "line %d\n", round), 0o644); err != nil {
			return err
		}
		begun := time.Now()
		out, err := b.output(ctx, up...)
		took := time.Since(begun)
		if err != nil {
			return err
		}
		var result struct{ Built []struct{ Seconds float64 } }
		if err := json.Unmarshal([]byte(out), &result); err != nil {
			return err
		}
		if len(result.Built) != 1 {
			return fmt.Errorf("up built %d images", len(result.Built))
		}
		unchanged, err := b.time(ctx, up...)
		if err != nil {
			return err
		}
		deploy, err := b.time(ctx, append([]string{"kubectl-e2eimage", "deploy"}, config...)...)
		if err != nil {
			return err
		}
		// The first one loads all layers, and does not count.
		if round > 0 {
			afterBuild = append(afterBuild, took-time.Duration(result.Built[0].Seconds*float64(time.Second)))
			again, deploys = append(again, unchanged), append(deploys, deploy)
		}
	}
	b.add("`up` after a change of one line, from the end of the build to the pod's being ready", spread(afterBuild), "", "", "under 5 s and the pod's own start")
	b.add("`up` with nothing changed, against `deploy` with nothing to do", spread(again), spread(deploys), ratio(again, deploys), "1.5× at most")
	return nil
}

// upFiles makes a service that is built from a folder, and its Deployment.
func (b *bench) upFiles(ctx context.Context, dir string) error {
	if err := os.MkdirAll(filepath.Join(dir, "code"), 0o755); err != nil {
		return err
	}
	binary, err := os.ReadFile(filepath.Join(b.dir, "service"))
	if err != nil {
		return err
	}
	for name, content := range map[string]string{
		"code/service": string(binary), "code/Dockerfile": "FROM scratch\nCOPY service /\nCOPY line /\nENTRYPOINT [\"/service\"]\n",
		"e2eimage.yaml": "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nconsumer: bench-up\nengine: " + b.provider +
			"\nimages:\n- {name: " + upName + ", source: localhost/bench-up:dev, build: {context: code}}\n",
		"deployment.yaml": fmt.Sprintf(deployment, upName),
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			return err
		}
	}
	_, err = b.output(ctx, "kubectl", "apply", "-n", namespace, "-f", filepath.Join(dir, "deployment.yaml"))
	return err
}
