package record

import (
	"context"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"time"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	utilnet "k8s.io/apimachinery/pkg/util/net"
	"k8s.io/apimachinery/pkg/util/validation/field"
	"k8s.io/apimachinery/pkg/util/wait"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/util/retry"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// FieldManager is the name under which the product writes to the API.
const FieldManager = "kubectl-e2eimage"

// Store keeps records in the cluster.
type Store struct {
	client   corev1client.ConfigMapsGetter
	commands Commands
}

// NewStore returns a store that uses client.
func NewStore(client corev1client.ConfigMapsGetter) *Store {
	return &Store{client: client, commands: inFull{}}
}

// Suggesting returns the store with errors that suggest these commands.
func (s *Store) Suggesting(commands Commands) *Store {
	return &Store{client: s.client, commands: commands}
}

// Get reads the records of a consumer; without any it returns an empty set.
func (s *Store) Get(ctx context.Context, namespace, consumer string) (*Set, error) {
	configMap, err := s.client.ConfigMaps(namespace).Get(ctx, ConfigMapName(consumer), metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		set := newSet(namespace, consumer)
		set.commands = s.commands
		return set, nil
	}
	if err != nil {
		return nil, s.explain(err, "read", namespace, consumer)
	}
	return s.adopt(configMap, namespace, consumer)
}

// adopt refuses a ConfigMap of that name that somebody else made.
func (s *Store) adopt(configMap *corev1.ConfigMap, namespace, consumer string) (*Set, error) {
	if configMap.Labels[ManagedByLabel] != ManagedBy || configMap.Labels[ConsumerLabel] != consumer {
		return nil,
			fmt.Errorf("ConfigMap %s/%s is not a record: it has no labels %s=%s, %s=%s; rename it, or choose another --consumer",
				namespace, configMap.Name, ManagedByLabel, ManagedBy, ConsumerLabel, consumer)
	}
	return s.set(configMap), nil
}

func (s *Store) set(configMap *corev1.ConfigMap) *Set {
	set := fromConfigMap(configMap)
	set.commands = s.commands
	return set
}

// List reads the records of all consumers in a namespace, by consumer.
func (s *Store) List(ctx context.Context, namespace string) ([]*Set, error) {
	listed, err := s.client.ConfigMaps(namespace).List(ctx,
		metav1.ListOptions{LabelSelector: ManagedByLabel + "=" + ManagedBy})
	if err != nil {
		return nil, s.explain(err, "list", namespace, "")
	}
	var sets []*Set
	for i := range listed.Items {
		if set := s.set(&listed.Items[i]); set.Consumer != "" {
			sets = append(sets, set)
		}
	}
	slices.SortFunc(sets, func(a, b *Set) int { return strings.Compare(a.Consumer, b.Consumer) })
	return sets, nil
}

// casBackoff spans about ten seconds: many writers take turns on one ConfigMap,
// and one of them wins in every round.
var casBackoff = wait.Backoff{Steps: 60, Duration: retry.DefaultBackoff.Duration, Factor: 1.1, Jitter: 1}

// Update changes the records of a consumer by compare-and-swap. change is
// called again with a fresh set after each conflict; when it leaves the set as
// it was, nothing is written; when it leaves it empty, the ConfigMap goes.
func (s *Store) Update(ctx context.Context, namespace, consumer string, change func(*Set) error) error {
	err := retry.OnError(casBackoff, func(err error) bool { return ctx.Err() == nil && lostRace(err) }, func() error {
		set, err := s.Get(ctx, namespace, consumer)
		if err != nil {
			return err
		}
		before := set.configMap.DeepCopy()
		if err := change(set); err != nil {
			return err
		}
		return s.write(ctx, before, set)
	})
	if lostRace(err) && ctx.Err() != nil {
		return context.Cause(ctx)
	}
	return err
}

func lostRace(err error) bool {
	return apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err)
}

// writeLimit bounds a write, which is not cut short when the run is: nobody would
// know whether it was carried out.
const writeLimit = 10 * time.Second

func (s *Store) write(ctx context.Context, before *corev1.ConfigMap, set *Set) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), writeLimit)
	defer cancel()
	after := set.configMap
	if maps.Equal(before.Data, after.Data) && reflect.DeepEqual(before.Annotations, after.Annotations) {
		return nil
	}
	configMaps := s.client.ConfigMaps(set.Namespace)
	exists := before.ResourceVersion != ""
	var err error
	switch {
	case !exists && set.empty():
		return nil
	case !exists:
		_, err = configMaps.Create(ctx, after, metav1.CreateOptions{FieldManager: FieldManager})
	case set.empty():
		err = configMaps.Delete(ctx, after.Name, metav1.DeleteOptions{
			Preconditions: &metav1.Preconditions{UID: &before.UID, ResourceVersion: &before.ResourceVersion},
		})
		if apierrors.IsNotFound(err) {
			return nil
		}
	default:
		_, err = configMaps.Update(ctx, after, metav1.UpdateOptions{FieldManager: FieldManager})
		if apierrors.IsNotFound(err) {
			// Somebody took the last record away meanwhile: start over without it.
			return apierrors.NewConflict(corev1.Resource("configmaps"), after.Name, err)
		}
	}
	if lostRace(err) || err == nil {
		return err
	}
	return s.explain(err, "write", set.Namespace, set.Consumer)
}

// NoNamespace says that there can be no record, since its namespace does not exist.
func (s *Store) NoNamespace(namespace string, err error) error {
	return foreign.Reworded(err, fmt.Sprintf("namespace %q does not exist; create it with: %s "+
		"(or give --create-namespace)",
		namespace, s.commands.Kubectl("create", "namespace", namespace)))
}

// explain says which object the API refused and what would help.
func (s *Store) explain(err error, verb, namespace, consumer string) error {
	object := "the ConfigMaps in namespace " + namespace
	if consumer != "" {
		object = fmt.Sprintf("ConfigMap %s/%s", namespace, ConfigMapName(consumer))
	}
	switch {
	// Forbidden, too: it comes first.
	case apierrors.HasStatusCause(err, corev1.NamespaceTerminatingCause):
		return fmt.Errorf("cannot %s %s: namespace %q is being deleted; wait for that, then run again: %w", verb, object,
			namespace, err)
	case apierrors.IsForbidden(err):
		return fmt.Errorf("may not %s %s, which holds the records: %w\nthe Role that is needed is in docs/rbac.md", verb,
			object, err)
	case apierrors.IsNotFound(err):
		return s.NoNamespace(namespace, err)
	case apierrors.HasStatusCause(err, metav1.CauseType(field.ErrorTypeTooLong)),
		apierrors.IsRequestEntityTooLargeError(err):
		return fmt.Errorf("cannot %s %s: a ConfigMap holds at most 1 MiB; remove records that nobody needs (%s), or what "+
			"else was put into it: %w", verb, object, s.commands.Ours("clean", "NAME", namespace, consumer), err)
	}
	if utilnet.IsConnectionRefused(err) || utilnet.IsConnectionReset(err) {
		return fmt.Errorf("cannot %s %s: the API server does not answer; is the cluster still there (kind get clusters), "+
			"and is it the one of the kube context? %w", verb, object, err)
	}
	return fmt.Errorf("cannot %s %s: %w", verb, object, err)
}
