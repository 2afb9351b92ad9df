// Command bench measures the plugin against what people do without it, on a real
// 3-node cluster and in the same run: medians, and the ratio. It asserts nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/ordinary"
)

func main() {
	provider := flag.String("provider", kindtest.Podman, kindtest.ProviderUsage())
	rounds := flag.Int("rounds", 7, "rounds of each case; the median counts")
	only := flag.String("only", "", "what to measure, of tags, deploys, scale, ups, status, manifests, loads and cold (the part of loads in which nodes have nothing), with commas between; all if empty")
	notRoot := flag.Bool("ordinary", false, "as a user in the group of docker's socket, who is not root")
	flag.Parse()
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *provider, *rounds, *only, *notRoot)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, provider string, rounds int, only string, notRoot bool) (err error) {
	dir, err := os.MkdirTemp("", "e2eimage-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	cluster := fmt.Sprintf("bench-%s-%d", provider, os.Getpid())
	if provider, err = kindtest.Choose(ctx, provider, os.Stderr); err != nil {
		return err
	}
	b := &bench{provider: provider, rounds: rounds, dir: dir, cluster: cluster}
	b.kubeconfig = dir + "/kubeconfig"
	err = kindtest.Create(ctx, kindtest.Options{
		Name: b.cluster, Workers: 2, Provider: provider, Kubeconfig: b.kubeconfig, Wait: 3 * time.Minute, Log: os.Stderr,
	})
	if err != nil {
		return err
	}
	defer func() {
		deleting, cancel := context.WithTimeout(context.WithoutCancel(ctx), 2*time.Minute)
		defer cancel()
		if failed := kindtest.Delete(deleting, b.cluster, provider); err == nil {
			err = failed
		}
	}()
	if err := b.build(ctx); err != nil {
		return err
	}
	if notRoot {
		// What this process writes from here on the user can read and replace.
		syscall.Umask(0)
		if b.ordinary, err = ordinary.New(dir, filepath.Join(dir, "bin")); err == nil {
			err = b.ordinary.Own(dir)
		}
		if err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name    string
		measure func(context.Context) error
		// part is of what another one measures too: only where it is asked for.
		part bool
	}{
		{name: "tags", measure: b.tags},
		{name: "deploys", measure: b.deploys},
		{name: "scale", measure: b.scale},
		{name: "ups", measure: b.ups},
		{name: "status", measure: b.status},
		{name: "manifests", measure: b.manifests},
		{name: "loads", measure: b.loads},
		{name: "cold", measure: b.cold, part: true},
	} {
		if asked := slices.Contains(strings.Split(only, ","), part.name); !asked && (only != "" || part.part) {
			continue
		}
		if err := part.measure(ctx); err != nil {
			return err
		}
	}
	b.print(os.Stdout)
	return nil
}
