package e2e

import (
	"context"
	"flag"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"testing"
	"time"
)

var rounds = flag.Int("rounds", 3, "how many rounds TestRoundsLeaveNothingBehind has")

// footprint is what a suite takes.
type footprint struct {
	// names are those of containerd, kilobytes what its contents and layers take on
	// all nodes; host are the images of the engine, named or not.
	names, kilobytes, configMap, host int
}

// footprint measures what is there once pods of before are gone.
func (u *user) footprint(id string) footprint {
	u.t.Helper()
	u.runs(id)
	var f footprint
	// A container that ended is taken away by the kubelet a moment later, its layer
	// with containerd's next collection.
	waitFor(u.t, "containers of before are gone", func() bool {
		for _, out := range onNodes(u.t, "crictl", "ps", "-a", "-q", "--state", "exited", "--label", "io.kubernetes.pod.namespace="+u.namespace) {
			if out != "" {
				return false
			}
		}
		return true
	})
	// Layers below a container that ended since the last collection wait for the next
	// one, which taking a name away begins.
	const going = "localhost/footprint:going"
	onNodes(u.t, "sh", "-c", `ctr -n k8s.io images tag "$1" "$2" && ctr -n k8s.io images rm --sync "$2"`, "sh", u.must("ref"), going)
	for node, out := range onNodes(u.t, "ctr", "-n", "k8s.io", "images", "ls", "-q") {
		f.names += len(strings.Fields(out))
		taken := onNode(u.t, node, "du", "-sk", "--total", "/var/lib/containerd/io.containerd.content.v1.content", "/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs")
		total := strings.Fields(taken[strings.LastIndexByte(taken, '\n')+1:])
		kilobytes, err := strconv.Atoi(total[0])
		if err != nil {
			u.t.Fatal(err)
		}
		f.kilobytes += kilobytes
	}
	f.configMap = len(u.kubectl("get", "configmap", "e2eimage-"+u.namespace, "-o", "jsonpath={.data}{.metadata.annotations}"))
	out, err := exec.CommandContext(u.t.Context(), suite.provider, "image", "ls", "--all", "--quiet").Output()
	if err != nil {
		u.t.Fatal(err)
	}
	f.host = len(strings.Fields(string(out)))
	return f
}

// It is not parallel: what others do would be measured, too.
func TestRoundsLeaveNothingBehind(t *testing.T) {
	u := newUser(t)
	u.code("code")
	u.wipeHost()
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nnamespace: "+u.namespace+"\nengine: "+suite.provider+"\nimages:\n"+
		"- {name: datastorage, source: '"+u.source()+"', build: {context: code}}\n")
	u.apply(workload("Deployment", "datastorage", u.source(), 1))
	// Unnamed images that the builds leave are the engine's cache, which its prune
	// takes away.
	prune := func() {
		_ = exec.CommandContext(context.WithoutCancel(t.Context()), suite.provider, "image", "prune", "--force").Run()
	}
	// From this round on nothing may grow any more.
	steadyRound := min(5, *rounds-1)
	var steady, now footprint
	begun := time.Now()
	for round := 1; round <= *rounds; round++ {
		for _, half := range []string{"first", "second"} {
			u.write("code/build", fmt.Sprintf("%s of round %d", half, round))
			u.must("build")
			u.must("load")
			u.must("tag")
			u.must("deploy")
		}
		u.must("clean", "--keep", "1")
		if round < steadyRound || round > steadyRound && round%25 != 0 && round != *rounds {
			continue
		}
		prune()
		now = u.footprint(u.lock(u.namespace)["datastorage"].ImageID)
		t.Logf("round %d after %s: %+v", round, time.Since(begun).Round(time.Second), now)
		if round == steadyRound {
			steady = now
		}
		// Numbers in the record and the metadata of files have a digit more or less.
		if now.names != steady.names || now.host != steady.host || now.kilobytes > steady.kilobytes+1024 || now.configMap > steady.configMap+100 {
			t.Fatalf("after round %d there is %+v, after round %d there was %+v", round, now, steadyRound, steady)
		}
	}
	if got := u.answers("datastorage"); len(got) != 1 || got[0] != fmt.Sprintf("second of round %d", *rounds) {
		t.Errorf("the pods say %v", got)
	}
}
