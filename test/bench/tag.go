package main

import (
	"context"
	"fmt"
	"time"
)

// script does what tag does, one after the other, as people's scripts do.
const script = `set -eu
TAG=localhost/peer:$1
for node in $(kind get nodes --name "$CLUSTER" 2>/dev/null); do
  "$ENGINE" exec "$node" ctr -n k8s.io images tag "$SOURCE" "$TAG" >/dev/null 2>&1
done
kubectl create configmap "peer-$1" -n "$NAMESPACE" >/dev/null
kubectl annotate configmap "peer-$1" -n "$NAMESPACE" image="$TAG" >/dev/null`

// bare enters the nodes side by side and does nothing.
const bare = `for node in $1 $2 $3; do "$ENGINE" exec "$node" true & done; wait`

func (b *bench) tags(ctx context.Context) error {
	var ours, repeated, theirs, entering []time.Duration
	for round := range b.rounds {
		consumer := fmt.Sprintf("suite%d", round)
		tag := []string{"kubectl", "e2eimage", "tag", "datastorage", "--source", source, "--consumer", consumer, "-n", namespace}
		for _, measured := range []struct {
			into *[]time.Duration
			argv []string
		}{
			{&ours, tag},
			{&theirs, []string{"bash", "-c", script, "peer", fmt.Sprint(round)}},
			{&repeated, tag},
			{&entering, append([]string{"bash", "-c", bare, "bare"}, b.nodes...)},
		} {
			took, err := b.time(ctx, measured.argv...)
			if err != nil {
				return err
			}
			*measured.into = append(*measured.into, took)
		}
	}
	b.add("`tag`, new, against the script", spread(ours), spread(theirs), ratio(ours, theirs), "0.8×, aim 0.6×")
	b.add("`tag`, new, against three bare execs at once", spread(ours), spread(entering),
		fmt.Sprintf("%+.2f s", (median(ours)-median(entering)).Seconds()), "+0.3 s at most")
	b.add("`tag` again", spread(repeated), "", "", "under 0.6 s")
	return nil
}

// scale measures six images in one command among the records of many consumers.
func (b *bench) scale(ctx context.Context) error {
	const consumers, images = 12, 6
	var names []string
	for i := range images {
		names = append(names, fmt.Sprintf("image%d", i))
	}
	tag := func(consumer string, names ...string) []string {
		argv := append([]string{"kubectl", "e2eimage", "tag"}, names...)
		return append(argv, "--consumer", consumer, "-n", namespace)
	}
	config := b.dir + "/e2eimage.yaml"
	if err := writeConfig(config, names); err != nil {
		return err
	}
	for i := range consumers {
		if _, err := b.output(ctx, append(tag(fmt.Sprintf("many%d", i), names...), "--config", config)...); err != nil {
			return err
		}
	}
	var six, one []time.Duration
	for round := range b.rounds {
		consumer := fmt.Sprintf("many%d", round%consumers)
		took, err := b.time(ctx, append(tag(consumer, names...), "--config", config, "--new")...)
		if err != nil {
			return err
		}
		six = append(six, took)
		if took, err = b.time(ctx, append(tag(consumer, names[0]), "--config", config, "--new")...); err != nil {
			return err
		}
		one = append(one, took)
	}
	b.add("`tag` of 6 images against 1, among 12 consumers × 6 images", spread(six), spread(one), ratio(six, one), "1.5× at most")
	return nil
}
