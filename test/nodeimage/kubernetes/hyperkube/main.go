// Command hyperkube is all of Kubernetes that runs on a test node, and its etcd, in
// one file: the name it is called by decides what it is. These programs share nearly
// all of their code: one file is linked once, and takes a third of the disk of seven.
package main

import (
	"context"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	_ "time/tzdata" // CronJobs name time zones, and the images have no files of them.

	"github.com/spf13/cobra"
	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubeadmerrors "k8s.io/kubernetes/cmd/kubeadm/app/util/errors"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"
)

// programs are what this file can be, by name.
func programs() map[string]func() {
	return map[string]func(){
		"etcd":                    func() { etcdmain.Main(os.Args) },
		"kube-apiserver":          func() { serve(apiserver.NewAPIServerCommand()) },
		"kube-controller-manager": func() { serve(controllermanager.NewControllerManagerCommand()) },
		"kube-scheduler":          func() { serve(scheduler.NewSchedulerCommand()) },
		// As the kubelet's own main: when it runs, the command makes a context that signals end.
		"kubelet": func() { serve(kubelet.NewKubeletCommand(context.Background())) },
		"kubeadm": runKubeadm,
		"kubectl": runKubectl,
	}
}

func main() {
	all, name := programs(), filepath.Base(os.Args[0])
	run, known := all[name]
	if !known {
		fmt.Fprintf(os.Stderr, "%s: no program of that name in here; make a link with one of the names %s\n",
			name, strings.Join(slices.Sorted(maps.Keys(all)), ", "))
		os.Exit(2)
	}
	run()
}

func serve(command *cobra.Command) { os.Exit(cli.Run(command)) }

// runKubeadm waits for containerd first where kubeadm is to make a node.
func runKubeadm() {
	if len(os.Args) > 1 && (os.Args[1] == "init" || os.Args[1] == "join") {
		if err := waitForContainerd(); err != nil {
			// kubeadm says more about a missing runtime, so go on.
			fmt.Fprintf(os.Stderr, "containerd does not answer: %v\n", err)
		}
	}
	kubeadmerrors.HandleError(kubeadm.Run())
}

func runKubectl() {
	kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
}
