package e2e

import (
	"context"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// makeNamespace makes the user's namespace, which goes with the test.
func (u *user) makeNamespace() {
	u.t.Helper()
	namespaces := suite.api.CoreV1().Namespaces()
	made := &corev1.Namespace{ObjectMeta: metav1.ObjectMeta{Name: u.namespace}}
	if _, err := namespaces.Create(u.t.Context(), made, metav1.CreateOptions{}); err != nil {
		u.t.Fatal(err)
	}
	u.t.Cleanup(func() {
		err := namespaces.Delete(context.WithoutCancel(u.t.Context()), u.namespace, metav1.DeleteOptions{})
		if err != nil && !apierrors.IsNotFound(err) {
			u.t.Error(err)
		}
	})
}
