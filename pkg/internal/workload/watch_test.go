package workload

import (
	"testing"

	batchv1 "k8s.io/api/batch/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/client-go/tools/cache"
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
			running := &batchv1.Job{ObjectMeta: metaOf("migrate")}
			o, err := asObject(running)
			if err != nil {
				t.Fatal(err)
			}
			w := newWatcher(nil, &Target{ref: reference{namespace: "e2e", kind: job, name: "migrate"}, object: o})
			w.object = cache.NewSharedIndexInformer(&cache.ListWatch{}, &batchv1.Job{}, 0, nil)
			if err := w.object.GetStore().Add(running); err != nil {
				t.Fatal(err)
			}
			if w.view().object.meta == nil {
				t.Fatal("it is not seen")
			}
			if err := w.object.GetStore().Delete(running); err != nil {
				t.Fatal(err)
			}
			if w.view().object.meta == nil {
				t.Error("it counts as deleted before it is told what it last was")
			}
			last := running.DeepCopy()
			last.Status.Conditions = []batchv1.JobCondition{{Type: test.last, Status: corev1.ConditionTrue}}
			w.OnDelete(cache.DeletedFinalStateUnknown{Key: "e2e/migrate", Obj: last})
			v := w.view()
			if (v.object.meta != nil) != test.done {
				t.Fatalf("it is seen as %+v", v.object)
			}
			if test.done && jobCondition(v.object.Object.(*batchv1.Job), batchv1.JobComplete) == nil {
				t.Error("it is not complete")
			}
		})
	}
}
