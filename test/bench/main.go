// Command bench measures the plugin against what people do without it, on a real
// 3-node cluster and in the same run: medians, and the ratio. It asserts nothing.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func main() {
	provider := flag.String("provider", kindtest.Podman, "engine that the cluster runs on, podman or docker")
	rounds := flag.Int("rounds", 7, "rounds of each case; the median counts")
	only := flag.String("only", "", `"deploys", "ups" or "loads" for these only`)
	flag.Parse()
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, *provider, *rounds, *only)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, provider string, rounds int, only string) (err error) {
	dir, err := os.MkdirTemp("", "e2eimage-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	b := &bench{provider: provider, rounds: rounds, dir: dir, cluster: fmt.Sprintf("bench-%s-%d", provider, os.Getpid())}
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
	all := []func(context.Context) error{b.tags, b.deploys, b.scale, b.ups, b.status, b.manifests, b.loads}
	switch only {
	case "loads":
		all = all[6:]
	case "deploys":
		all = all[1:2]
	case "ups":
		all = all[3:6]
	}
	for _, measure := range all {
		if err := measure(ctx); err != nil {
			return err
		}
	}
	b.print(os.Stdout)
	return nil
}
