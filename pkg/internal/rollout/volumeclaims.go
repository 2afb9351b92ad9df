package rollout

import (
	"context"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// unboundClaims says which of a pod's volume claims have no volume, and why.
func (r *Rollouts) unboundClaims(ctx context.Context, pod *corev1.Pod) []string {
	var lines []string
	for _, volume := range pod.Spec.Volumes {
		if volume.PersistentVolumeClaim == nil {
			continue
		}
		name := volume.PersistentVolumeClaim.ClaimName
		claim, err := r.api.CoreV1().PersistentVolumeClaims(pod.Namespace).Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			lines = append(lines, fmt.Sprintf("persistentvolumeclaim/%s does not exist", name))
		case err == nil && claim.Status.Phase != corev1.ClaimBound:
			lines = append(lines, r.unbound(ctx, claim))
		}
	}
	return lines
}

func (r *Rollouts) unbound(ctx context.Context, claim *corev1.PersistentVolumeClaim) string {
	line := fmt.Sprintf("persistentvolumeclaim/%s is %s", claim.Name, claim.Status.Phase)
	if class := claim.Spec.StorageClassName; class != nil {
		line += fmt.Sprintf(", of storage class %q", *class)
	}
	if events := r.events(ctx, claim.Namespace, string(claim.UID)); len(events) > 0 {
		last := events[len(events)-1]
		line += ": " + last.Reason + ": " + last.Message
	}
	return line
}
