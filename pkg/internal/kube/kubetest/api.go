// Package kubetest has workloads and pods for tests, and an API server in memory whose
// Deployments roll out: client-go's fake with what that lacks. Writes of what is stale fail, generations count,
// and a controller makes ReplicaSets and pods, whose containers run what the nodes have
// under their images' names at that moment. A rollout is over when the write returns that
// began it, or waits for its nodes to get an image. It has no logic of the product.
package kubetest

import (
	"encoding/json"
	"errors"
	"strconv"
	"sync"

	appsv1 "k8s.io/api/apps/v1"
	"k8s.io/apimachinery/pkg/api/equality"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/api/meta"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/testing"
)

// Nodes run the containers of pods. A nil Nodes runs none.
type Nodes interface {
	// Nodes are their names, sorted.
	Nodes() []string
	// Start runs a container from what the node has under the image's name.
	Start(node, namespace, pod, image string) (containerID, imageID string, err error)
	// Stop takes a pod's containers away.
	Stop(node, namespace, pod string)
}

// API is an API server.
type API struct {
	*fake.Clientset

	tracker testing.ObjectTracker
	nodes   Nodes

	mu      sync.Mutex
	version int
	// made counts pods, so that each has a name of its own.
	made int
}

// New returns an API server that has nothing.
func New(nodes Nodes) *API {
	// The fake's own constructor would also keep account of every field's manager.
	a := &API{
		Clientset: &fake.Clientset{}, nodes: nodes,
		tracker: testing.NewObjectTracker(scheme.Scheme, serializer.NewCodecFactory(scheme.Scheme).UniversalDecoder()),
	}
	a.AddReactor("*", "*", a.react)
	a.AddWatchReactor("*", a.watch)
	return a
}

// Tracker has the objects. What is put there is not seen by the controller before the next
// write.
func (a *API) Tracker() testing.ObjectTracker { return a.tracker }

func (a *API) react(action testing.Action) (bool, runtime.Object, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	handled, object, err := a.handle(action)
	if err != nil || action.GetResource().Resource != "deployments" {
		return handled, object, err
	}
	switch action.GetVerb() {
	case "create", "update", "patch", "delete":
		err = a.settle()
	}
	return handled, object, err
}

func (a *API) handle(action testing.Action) (bool, runtime.Object, error) {
	resource, namespace := action.GetResource(), action.GetNamespace()
	switch act := action.(type) {
	case testing.CreateActionImpl:
		object := act.GetObject().DeepCopyObject()
		of, err := meta.Accessor(object)
		if err != nil {
			return true, nil, err
		}
		of.SetResourceVersion(a.next())
		of.SetUID(types.UID("uid-" + of.GetResourceVersion()))
		of.SetGeneration(1)
		return true, object, a.tracker.Create(resource, object, namespace)
	case testing.UpdateActionImpl:
		object := act.GetObject().DeepCopyObject()
		of, err := meta.Accessor(object)
		if err != nil {
			return true, nil, err
		}
		before, err := a.current(action, of.GetName(), of.GetResourceVersion())
		if err != nil {
			return true, nil, err
		}
		return true, object, a.write(action, before, object)
	case testing.PatchActionImpl:
		var stated metav1.PartialObjectMetadata
		if err := json.Unmarshal(act.GetPatch(), &stated); err != nil {
			return true, nil, apierrors.NewBadRequest(err.Error())
		}
		before, err := a.current(action, act.GetName(), stated.ResourceVersion)
		if err != nil {
			return true, nil, err
		}
		before = before.DeepCopyObject()
		handled, object, err := testing.ObjectReaction(a.tracker)(action)
		if err != nil {
			return handled, nil, err
		}
		object = object.DeepCopyObject()
		return handled, object, a.write(action, before, object)
	case testing.DeleteActionImpl:
		version := ""
		if required := act.DeleteOptions.Preconditions; required != nil && required.ResourceVersion != nil {
			version = *required.ResourceVersion
		}
		if _, err := a.current(action, act.GetName(), version); err != nil {
			return true, nil, err
		}
	}
	return testing.ObjectReaction(a.tracker)(action)
}

func (a *API) next() string {
	a.version++
	return strconv.Itoa(a.version)
}

// current is the object as it is, which has to have the version unless that is "".
func (a *API) current(action testing.Action, name, version string) (runtime.Object, error) {
	object, err := a.tracker.Get(action.GetResource(), action.GetNamespace(), name)
	if err != nil {
		return nil, err
	}
	is, err := meta.Accessor(object)
	if err == nil && version != "" && is.GetResourceVersion() != version {
		err = apierrors.NewConflict(action.GetResource().GroupResource(), name, errors.New("it was changed meanwhile"))
	}
	return object, err
}

// write keeps an object, with a new version, and with a new generation where it is a
// Deployment that is to be another one.
func (a *API) write(action testing.Action, before, object runtime.Object) error {
	of, err := meta.Accessor(object)
	if err != nil {
		return err
	}
	of.SetResourceVersion(a.next())
	was, isDeployment := before.(*appsv1.Deployment)
	if is, ok := object.(*appsv1.Deployment); ok && isDeployment && !equality.Semantic.DeepEqual(was.Spec, is.Spec) {
		is.Generation = was.Generation + 1
	}
	return a.tracker.Update(action.GetResource(), object, action.GetNamespace())
}
