package kindnode

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"runtime"

	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/hostexec"
)

// findProcesses asks docker for the nodes' processes, which its ps does not tell.
// Without them the nodes are reached by exec. Only root may enter what docker runs: others
// need not ask.
func findProcesses(ctx context.Context, runner hostexec.Runner, provider string, nodes []Node) {
	if provider != "docker" || runtime.GOOS != "linux" || os.Geteuid() != 0 || len(nodes) == 0 {
		return
	}
	argv := []string{provider, "inspect", "--type", "container", "--format", "{{.Id}} {{.State.Pid}}"}
	for _, node := range nodes {
		argv = append(argv, node.id)
	}
	var out bytes.Buffer
	if err := runner.Run(ctx, hostexec.Command{Argv: argv, Stdout: &out}); err != nil {
		klog.FromContext(ctx).V(6).Info("the nodes' processes are not known", "because", err.Error())
		return
	}
	pids := map[string]int{}
	for {
		var id string
		var pid int
		if _, err := fmt.Fscan(&out, &id, &pid); err != nil {
			break
		}
		pids[id] = pid
	}
	for i, node := range nodes {
		nodes[i].pid = pids[node.id]
	}
}
