package record

import (
	"fmt"
	"strconv"
	"sync"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

// casClient is client-go's fake plus what it lacks for us: resource versions
// that make an update of a stale object fail.
func casClient() *fake.Clientset {
	client := fake.NewClientset()
	var mu sync.Mutex
	version := 0
	tracker := client.Tracker()
	resource := corev1.SchemeGroupVersion.WithResource("configmaps")
	client.PrependReactor("*", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		mu.Lock()
		defer mu.Unlock()
		switch a := action.(type) {
		case clienttesting.UpdateActionImpl:
			next := a.GetObject().(*corev1.ConfigMap).DeepCopy()
			current, err := tracker.Get(resource, next.Namespace, next.Name)
			if err != nil {
				return true, nil, err
			}
			if current.(*corev1.ConfigMap).ResourceVersion != next.ResourceVersion {
				return true, nil, apierrors.NewConflict(corev1.Resource("configmaps"), next.Name, nil)
			}
			version++
			next.ResourceVersion = strconv.Itoa(version)
			return true, next, tracker.Update(resource, next, next.Namespace)
		case clienttesting.CreateActionImpl:
			next := a.GetObject().(*corev1.ConfigMap).DeepCopy()
			version++
			next.ResourceVersion = strconv.Itoa(version)
			return true, next, tracker.Create(resource, next, next.Namespace)
		}
		return false, nil, nil
	})
	return client
}

func TestManyRunsAgreeOnOneTag(t *testing.T) {
	t.Parallel()
	store := NewStore(casClient().CoreV1())
	images := make([]string, 16)
	var all sync.WaitGroup
	for i := range images {
		all.Go(func() {
			err := store.Update(t.Context(), "ns", "suite", func(set *Set) error {
				decision, err := set.Claim(wishFor(fmt.Sprintf("localhost/datastorage:suite-%d", i), oldID), strconv.Itoa(i), repositoryOf)
				images[i] = decision.Image
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	for _, image := range images {
		if image != images[0] {
			t.Errorf("one run decided %s, another %s", image, images[0])
		}
	}
}

func TestAnUpdateThatChangesNothingWritesNothing(t *testing.T) {
	t.Parallel()
	client := casClient()
	store := NewStore(client.CoreV1())
	if err := store.Update(t.Context(), "ns", "suite", func(*Set) error { return nil }); err != nil {
		t.Fatal(err)
	}
	for _, action := range client.Actions() {
		if action.GetVerb() != "get" {
			t.Errorf("unexpected %s", action.GetVerb())
		}
	}
}

func TestTheLastEntryTakesTheConfigMapWithIt(t *testing.T) {
	t.Parallel()
	client := casClient()
	store := NewStore(client.CoreV1())
	const image = "localhost/datastorage:suite-1"
	for _, step := range []func(*Set) error{
		claimed(image, oldID, "a"), completed(image, oldID), releasing,
		func(set *Set) error { return set.Released("datastorage", []string{image}) },
	} {
		if err := store.Update(t.Context(), "ns", "suite", step); err != nil {
			t.Fatal(err)
		}
	}
	_, err := client.CoreV1().ConfigMaps("ns").Get(t.Context(), "e2eimage-suite", metav1.GetOptions{})
	if !apierrors.IsNotFound(err) {
		t.Errorf("the ConfigMap is still there (%v)", err)
	}
}

func TestSomebodyElsesConfigMapIsLeftAlone(t *testing.T) {
	t.Parallel()
	client := casClient()
	_, err := client.CoreV1().ConfigMaps("ns").Create(t.Context(), &corev1.ConfigMap{ObjectMeta: metav1.ObjectMeta{Name: "e2eimage-suite", Namespace: "ns"}}, metav1.CreateOptions{})
	if err != nil {
		t.Fatal(err)
	}
	if err := NewStore(client.CoreV1()).Update(t.Context(), "ns", "suite", claimed("localhost/datastorage:suite-1", oldID, "a")); err == nil {
		t.Error("it was taken over")
	}
}
