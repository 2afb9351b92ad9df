package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// goneNamespace lets clean work in the namespace whose records went with it, where nobody
// said a namespace and nothing of these images is in the kubeconfig's.
//
// A load before its namespace leaves nodes looking the same, and the suite that loaded will
// record these tags. So a namespace with a young tag, or with one that a record or claim
// anywhere has, is left to whoever says it with -n.
func (c *Client) goneNamespace(ctx context.Context, kube *apiServer, suite config.Suite,
	states kindnode.States,
) error {
	if suite.Namespace != "" {
		return nil
	}
	wanted := recordedNames(suite)
	consumer, err := c.consumerSaid(suite)
	if err != nil {
		return err
	}
	found := tagsByNamespace(states, wanted, consumer)
	if len(found) == 0 || found[kube.namespace] != nil {
		return nil
	}
	sets, err := kube.setsFor(ctx, suite)
	if err != nil || slices.ContainsFunc(sets, func(set *record.Set) bool { return len(namesIn(set, wanted)) > 0 }) {
		return err
	}
	var gone, young []string
	for _, namespace := range sortedKeys(found) {
		_, err := kube.CoreV1().Namespaces().Get(ctx, namespace, metav1.GetOptions{})
		switch {
		case !apierrors.IsNotFound(err):
			// Whoever may not look at namespaces has to say which one it was.
		case hasYoung(states, found[namespace]):
			young = append(young, namespace)
		default:
			gone = append(gone, namespace)
		}
	}
	for _, namespace := range young {
		c.report.Info(fmt.Sprintf("tags for namespace %s stay: the namespace does not exist, but they are younger than "+
			"%s, so it may be about to be created"+
			"\nif it is gone: %s", namespace, orphanGrace,
			typedAt("clean", strings.Join(wanted, " "), namespace, suite.Consumer, suite)))
	}
	if len(gone) == 0 {
		return nil
	}
	if len(gone) > 1 {
		return &UsageError{fmt.Errorf("several namespaces are gone that left tags of %s on nodes: %s; say which with -n",
			strings.Join(wanted, ", "), strings.Join(gone, ", "))}
	}
	recorded, err := kube.recordedAnywhere(ctx, found[gone[0]])
	if err != nil || recorded {
		return err
	}
	c.report.Info(fmt.Sprintf("namespace %s is gone, and its records with it; removing the tags that it left on nodes",
		gone[0]))
	kube.namespace = gone[0]
	return nil
}

// consumerSaid is the consumer that flag, file or lock say, "" for none.
func (c *Client) consumerSaid(suite config.Suite) (string, error) {
	if suite.Consumer != "" {
		return suite.Consumer, nil
	}
	locked, err := c.lockWith(suite)
	if err != nil || locked == nil {
		return "", err
	}
	return locked.Consumer, nil
}

// tagsByNamespace are the tags on nodes of the wanted names, by the namespace of their
// owner: of one consumer, or of all where it is "".
func tagsByNamespace(states kindnode.States, wanted []string, of string) map[string][]string {
	found := map[string][]string{}
	for owned := range states.Owners() {
		namespace, consumer, name, ok := record.ParseOwner(owned.Owner)
		if ok && slices.Contains(wanted, name) && (of == "" || consumer == of) {
			found[namespace] = append(found[namespace], owned.Name)
		}
	}
	return found
}

// hasYoung tells whether any node got one of the tags within the grace.
func hasYoung(states kindnode.States, tags []string) bool {
	for owned := range states.Owners() {
		if slices.Contains(tags, owned.Name) && time.Since(owned.Since) < orphanGrace {
			return true
		}
	}
	return false
}

// recordedAnywhere tells whether any record or claim of the cluster has one of the tags, or
// cannot be read.
func (k *apiServer) recordedAnywhere(ctx context.Context, tags []string) (bool, error) {
	sets, err := k.records.List(ctx, metav1.NamespaceAll)
	if apierrors.IsForbidden(err) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	for _, set := range sets {
		for _, name := range set.Names() {
			evidence, err := set.Entry(name)
			if err != nil {
				return true, nil
			}
			if evidence != nil && slices.ContainsFunc(evidence.Tags(), func(tag string) bool {
				return slices.Contains(tags, tag)
			}) {
				return true, nil
			}
		}
	}
	return false, nil
}
