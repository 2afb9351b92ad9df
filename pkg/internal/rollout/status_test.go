package rollout

import (
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestRolledOutMeans(t *testing.T) {
	t.Parallel()
	deployed := func(edit func(*appsv1.Deployment)) *appsv1.Deployment {
		d := kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(3)) }, kubetest.RolledOut)
		edit(d)
		return d
	}
	for _, test := range []struct {
		name string
		has  runtime.Object
		// want is "done", "impossible REASON", "pending REASON" or what is waited for.
		want string
		pods int32
	}{
		{"a Deployment with all replicas updated and available", deployed(func(*appsv1.Deployment) {}), "done", 3},
		{"a Deployment whose change was not seen yet", deployed(func(d *appsv1.Deployment) { d.Generation = 2 }), statusUnseen, 3},
		{"a Deployment with replicas to update", deployed(func(d *appsv1.Deployment) { d.Status.UpdatedReplicas = 1 }), "1 of 3 replicas updated", 3},
		{"a Deployment with old replicas", deployed(func(d *appsv1.Deployment) { d.Status.Replicas = 4 }), "old replicas have to go: 1", 3},
		{"a Deployment whose replicas are not available", deployed(func(d *appsv1.Deployment) { d.Status.AvailableReplicas = 2 }), "2 of 3 replicas available", 3},
		{"a Deployment with no replicas wanted", kubetest.Deployment(kubetest.NewImage, func(d *appsv1.Deployment) { d.Spec.Replicas = new(int32(0)) }, kubetest.RolledOut), "done", 0},
		{"a paused Deployment that is done", deployed(func(d *appsv1.Deployment) { d.Spec.Paused = true }), "done", 3},
		{"a paused Deployment that is not done", deployed(func(d *appsv1.Deployment) { d.Spec.Paused, d.Status.UpdatedReplicas = true, 0 }), "impossible Paused", 3},
		{"a Deployment that its controller gave up", deployed(func(d *appsv1.Deployment) {
			d.Status.AvailableReplicas = 0
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentProgressing, Status: corev1.ConditionFalse, Reason: deadlineExceeded}}
		}), "impossible ProgressDeadlineExceeded", 3},
		{"a Deployment that may make no pods", deployed(func(d *appsv1.Deployment) {
			d.Status.UpdatedReplicas = 0
			d.Status.Conditions = []appsv1.DeploymentCondition{{Type: appsv1.DeploymentReplicaFailure, Status: corev1.ConditionTrue, Reason: "FailedCreate"}}
		}), "pending FailedCreate", 3},

		{"a StatefulSet with all replicas updated and available", kubetest.StatefulSet(kubetest.NewImage, 3), "done", 3},
		{"a StatefulSet whose change was not seen yet", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) { s.Generation = 2 }), statusUnseen, 3},
		{"a StatefulSet that is scaled down", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) { s.Status.Replicas = 4 }), "replicas too many: 1", 3},
		{"a StatefulSet with replicas to update", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) { s.Status.UpdatedReplicas = 1 }), "1 of 3 replicas updated", 3},
		{"a StatefulSet whose replicas are not available", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) { s.Status.AvailableReplicas = 1 }), "1 of 3 replicas available", 3},
		{"a StatefulSet with the pods above its partition updated, though those below are broken", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) {
			partition(2)(s)
			s.Status.UpdatedReplicas, s.Status.AvailableReplicas = 1, 1
		}), "done", 1},
		{"a StatefulSet with a pod above its partition to update", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) {
			partition(1)(s)
			s.Status.UpdatedReplicas = 1
		}), "1 of 2 replicas updated", 2},
		{"a StatefulSet whose partition keeps everything", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) {
			partition(5)(s)
			s.Status.UpdatedReplicas = 0
		}), "done", 0},
		{"a StatefulSet that leaves its pods to the user", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.Type, s.Status.UpdatedReplicas = appsv1.OnDeleteStatefulSetStrategyType, 0
		}), "impossible OnDelete", 3},
		{"a StatefulSet with OnDelete whose pods were all replaced", kubetest.StatefulSet(kubetest.NewImage, 3, func(s *appsv1.StatefulSet) {
			s.Spec.UpdateStrategy.Type = appsv1.OnDeleteStatefulSetStrategyType
		}), "done", 3},

		{"a DaemonSet with all nodes updated and available", kubetest.DaemonSet(kubetest.NewImage, 2), "done", 2},
		{"a DaemonSet that no node is to run", kubetest.DaemonSet(kubetest.NewImage, 0), "done", 0},
		{"a DaemonSet whose change was not seen yet", kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) { d.Generation = 2 }), statusUnseen, 2},
		{"a DaemonSet with nodes to update", kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) { d.Status.UpdatedNumberScheduled = 1 }), "1 of 2 nodes updated", 2},
		{"a DaemonSet with nodes that are not available", kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) { d.Status.NumberAvailable = 0 }), "0 of 2 nodes available", 2},
		{"a DaemonSet that leaves its pods to the user", kubetest.DaemonSet(kubetest.NewImage, 2, func(d *appsv1.DaemonSet) {
			d.Spec.UpdateStrategy.Type, d.Status.UpdatedNumberScheduled = appsv1.OnDeleteDaemonSetStrategyType, 0
		}), "impossible OnDelete", 2},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			o, err := kube.AsObject(test.has)
			if err != nil {
				t.Fatal(err)
			}
			progress := judgeStatus(o)
			got := progress.waiting
			switch {
			case progress.done:
				got = "done"
			case progress.impossible != nil:
				got = "impossible " + progress.impossible.Reason
			case progress.pending != nil:
				got = "pending " + progress.pending.reason
			}
			if got != test.want || progress.pods != test.pods {
				t.Errorf("%q with %d pods, want %q with %d", got, progress.pods, test.want, test.pods)
			}
		})
	}
}

func partition(n int32) func(*appsv1.StatefulSet) {
	return func(s *appsv1.StatefulSet) {
		s.Spec.UpdateStrategy.RollingUpdate = &appsv1.RollingUpdateStatefulSetStrategy{Partition: new(n)}
	}
}
