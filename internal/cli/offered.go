package cli

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// offerLimit is how long a shell is kept waiting for what a cluster has.
const offerLimit = 2 * time.Second

// offered are completions from the cluster; what cannot be asked is not offered.
func (a *app) offered(ask func(context.Context, kubernetes.Interface, string) ([]string, error)) []string {
	config, err := a.kube.ToRESTConfig()
	if err != nil {
		return nil
	}
	config.Timeout = offerLimit
	namespace, _, err := a.kube.ToRawKubeConfigLoader().Namespace()
	if err != nil {
		return nil
	}
	client, err := kubernetes.NewForConfig(config)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(context.Background(), offerLimit)
	defer cancel()
	found, err := ask(ctx, client, namespace)
	if err != nil {
		return nil
	}
	slices.Sort(found)
	return slices.Compact(found)
}

// records are the ConfigMaps of the namespace that are records (docs/record.md).
const records = "app.kubernetes.io/managed-by=kubectl-e2eimage"

func recordedNames(ctx context.Context, api kubernetes.Interface, namespace string) ([]string, error) {
	listed, err := api.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: records})
	var names []string
	if err == nil {
		for _, one := range listed.Items {
			for name := range one.Data {
				names = append(names, name)
			}
		}
	}
	return names, err
}

func consumers(ctx context.Context, api kubernetes.Interface, namespace string) ([]string, error) {
	listed, err := api.CoreV1().ConfigMaps(namespace).List(ctx, metav1.ListOptions{LabelSelector: records})
	var names []string
	if err == nil {
		for _, one := range listed.Items {
			names = append(names, one.Labels["e2eimage.dev/consumer"])
		}
	}
	return names, err
}

func namespaces(ctx context.Context, api kubernetes.Interface, _ string) ([]string, error) {
	listed, err := api.CoreV1().Namespaces().List(ctx, metav1.ListOptions{})
	var names []string
	if err == nil {
		for _, one := range listed.Items {
			names = append(names, one.Name)
		}
	}
	return names, err
}

func workloads(ctx context.Context, api kubernetes.Interface, namespace string) ([]string, error) {
	var names []string
	deployments, err := api.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	for _, one := range deployments.Items {
		names = append(names, "deployment/"+one.Name)
	}
	sets, err := api.AppsV1().StatefulSets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return names, err
	}
	for _, one := range sets.Items {
		names = append(names, "statefulset/"+one.Name)
	}
	daemons, err := api.AppsV1().DaemonSets(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return names, err
	}
	for _, one := range daemons.Items {
		names = append(names, "daemonset/"+one.Name)
	}
	return names, nil
}

// offer completes a flag from the cluster.
func (a *app) offer(cmd *cobra.Command, flag string, ask func(context.Context, kubernetes.Interface, string) ([]string, error)) {
	// It fails only for a flag that the command does not have.
	_ = cmd.RegisterFlagCompletionFunc(flag, func(_ *cobra.Command, _ []string, begun string) ([]string, cobra.ShellCompDirective) {
		all := a.offered(ask)
		return slices.DeleteFunc(all, func(one string) bool { return !strings.HasPrefix(one, begun) }), cobra.ShellCompDirectiveNoFileComp
	})
}
