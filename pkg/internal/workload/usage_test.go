package workload

import (
	"testing"

	"github.com/google/go-cmp/cmp"
	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	clienttesting "k8s.io/client-go/testing"
)

func TestWhoMayListPodsOfOneNamespaceSeesTheWorkloadsOfThatOne(t *testing.T) {
	t.Parallel()
	elsewhere := aDeployment(newImage, rolledOut, func(d *appsv1.Deployment) { d.Namespace = "elsewhere" })
	api := fake.NewClientset(elsewhere, aDeployment(newImage, rolledOut))
	api.PrependReactor("list", "pods", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return action.GetNamespace() == "", nil, apierrors.NewForbidden(corev1.Resource("pods"), "", nil)
	})
	used, unseen, err := Usage(t.Context(), api, "e2e")
	var names []string
	for _, one := range used {
		names = append(names, one.Namespace+"/"+one.Name)
	}
	if diff := cmp.Diff([]string{"e2e/deployment.apps/datastorage"}, names); diff != "" || len(unseen) != 0 || err != nil {
		t.Errorf("%s, unseen %v, error %v", diff, unseen, err)
	}
}

func TestPodsThatAPartitionKeepsAreNotWanted(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		updated, wanted int32
		settled         bool
	}{
		"all above it are updated": {2, 2, true},
		"one is still to come":     {1, 2, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := aStatefulSet(newImage, 3, partition(1), func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = test.updated })
			used, _, err := Usage(t.Context(), fake.NewClientset(s), "e2e")
			if err != nil || len(used) != 1 || used[0].Wanted != int(test.wanted) || used[0].Settled != test.settled {
				t.Errorf("%+v, %v", used[0], err)
			}
		})
	}
}
