package rollout

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

// A cache lets go of an object before its handlers are told what it last was.
func TestAJobThatGoesAsSoonAsItIsCompleteCountsAsComplete(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		last batchv1.JobConditionType
		// done: what is seen once the deletion was told is a complete Job, else nothing.
		done bool
	}{
		"complete": {last: batchv1.JobComplete, done: true},
		"deleted":  {last: batchv1.JobSuspended},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			running := &batchv1.Job{ObjectMeta: kubetest.MetaOf("migrate")}
			o, err := kube.AsObject(running)
			if err != nil {
				t.Fatal(err)
			}
			w := newWatcher(nil, &kube.Target{Ref: kube.Reference{Namespace: "e2e", Kind: kube.Job, Name: "migrate"}, Object: o})
			w.object = cache.NewSharedIndexInformer(&cache.ListWatch{}, &batchv1.Job{}, 0, nil)
			if err := w.object.GetStore().Add(running); err != nil {
				t.Fatal(err)
			}
			if w.view().object.Meta == nil {
				t.Fatal("it is not seen")
			}
			if err := w.object.GetStore().Delete(running); err != nil {
				t.Fatal(err)
			}
			if w.view().object.Meta == nil {
				t.Error("it counts as deleted before it is told what it last was")
			}
			last := running.DeepCopy()
			last.Status.Conditions = []batchv1.JobCondition{{Type: test.last, Status: corev1.ConditionTrue}}
			w.OnDelete(cache.DeletedFinalStateUnknown{Key: "e2e/migrate", Obj: last})
			v := w.view()
			if (v.object.Meta != nil) != test.done {
				t.Fatalf("it is seen as %+v", v.object)
			}
			if test.done && kube.JobCondition(v.object.Object.(*batchv1.Job), batchv1.JobComplete) == nil {
				t.Error("it is not complete")
			}
		})
	}
}
