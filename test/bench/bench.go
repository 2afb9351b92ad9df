package main

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/ordinary"
)

// bench is the cluster that is measured on, and the results so far.
type bench struct {
	provider, cluster, kubeconfig, dir string
	rounds                             int
	// ordinary runs commands where they are not root's; else it is nil.
	ordinary *ordinary.User
	nodes    []string
	rows     []row
}

// row is one line of the table.
type row struct{ what, ours, peer, ratio, goal string }

const (
	namespace = "bench"
	source    = "localhost/bench-service:dev"
)

// build makes the binaries, two images and a Deployment.
func (b *bench) build(ctx context.Context) error {
	bin := filepath.Join(b.dir, "bin")
	service := filepath.Join(b.dir, "service")
	for _, argv := range [][]string{
		{"go", "build", "-trimpath", "-o", bin + "/", "./cmd/kubectl-e2eimage"},
		{"go", "build", "-trimpath", "-o", filepath.Join(bin, "kind"), "sigs.k8s.io/kind"},
		{"go", "build", "-trimpath", "-o", service, "./examples/datastorage"},
		{b.provider, "cp", b.cluster + "-control-plane:/usr/bin/kubectl", filepath.Join(bin, "kubectl")},
	} {
		command := exec.CommandContext(ctx, argv[0], argv[1:]...)
		command.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := command.CombinedOutput(); err != nil {
			return fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, out)
		}
	}
	for name, value := range map[string]string{
		"PATH": bin + ":" + os.Getenv("PATH"), "KUBECONFIG": b.kubeconfig,
		"CLUSTER": b.cluster, "ENGINE": b.provider, "NAMESPACE": namespace, "SOURCE": source,
	} {
		if err := os.Setenv(name, value); err != nil {
			return err
		}
	}
	for _, ref := range []string{source, variant("a"), variant("b")} {
		archive := filepath.Join(b.dir, "image.tar")
		_, err := kindtest.WriteScratchArchive(archive, ref, service, kindtest.Scratch{Labels: map[string]string{"variant": ref}})
		if err == nil {
			err = kindtest.LoadArchive(ctx, b.provider, b.cluster, archive)
		}
		if err != nil {
			return err
		}
	}
	out, err := b.output(ctx, "kubectl", "get", "nodes", "-o", "jsonpath={.items[*].metadata.name}")
	b.nodes = strings.Fields(out)
	if err != nil {
		return err
	}
	_, err = b.output(ctx, "kubectl", "create", "namespace", namespace)
	return err
}

func variant(name string) string { return "localhost/bench-service:" + name }

// command is a command of the user whom is measured for.
func (b *bench) command(ctx context.Context, argv ...string) (*exec.Cmd, error) {
	command := exec.CommandContext(ctx, argv[0], argv[1:]...)
	if b.ordinary == nil {
		return command, nil
	}
	return command, b.ordinary.Runs(command)
}

// output runs a command and returns what it printed.
func (b *bench) output(ctx context.Context, argv ...string) (string, error) {
	command, err := b.command(ctx, argv...)
	if err != nil {
		return "", err
	}
	var stdout, stderr bytes.Buffer
	command.Stdout, command.Stderr = &stdout, &stderr
	if err := command.Run(); err != nil {
		return "", fmt.Errorf("%s: %w: %s", strings.Join(argv, " "), err, stderr.String())
	}
	return stdout.String(), nil
}

// time measures one command.
func (b *bench) time(ctx context.Context, argv ...string) (time.Duration, error) {
	begun := time.Now()
	_, err := b.output(ctx, argv...)
	return time.Since(begun), err
}

func median(times []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(times))
	return sorted[len(sorted)/2]
}

// spread is a median with its extremes.
func spread(times []time.Duration) string {
	return fmt.Sprintf("%s (%s–%s)", seconds(median(times)), seconds(slices.Min(times)), seconds(slices.Max(times)))
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.2f s", d.Seconds()) }

func ratio(ours, peer []time.Duration) string {
	return fmt.Sprintf("%.2f×", median(ours).Seconds()/median(peer).Seconds())
}

func (b *bench) add(what, ours, peer, ratio, goal string) {
	b.rows = append(b.rows, row{what, ours, peer, ratio, goal})
	fmt.Fprintf(os.Stderr, "%s: %s; %s; %s\n", what, ours, peer, ratio)
}

func (b *bench) print(out io.Writer) {
	who := "root"
	if b.ordinary != nil {
		who = "a user in docker's group"
	}
	fmt.Fprintf(out, "%s, %s, %d nodes, medians of %d (least–most)\n\n", b.provider, who, len(b.nodes), b.rounds)
	fmt.Fprintln(out, "| case | e2eimage | peer | ratio | goal |\n|---|---|---|---|---|")
	for _, r := range b.rows {
		fmt.Fprintf(out, "| %s | %s | %s | %s | %s |\n", r.what, r.ours, r.peer, r.ratio, r.goal)
	}
}
