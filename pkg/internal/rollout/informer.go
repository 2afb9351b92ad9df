package rollout

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// newInformer will list what the filter lets through and watch from there. Nothing is
// asked before it runs.
func newInformer(api kube.API, c kube.Client, filter func(*metav1.ListOptions)) cache.SharedIndexInformer {
	return cache.NewSharedIndexInformer(c.ListWatcher(api, filter), c.Empty, 0, nil)
}

// quietly runs informers: what client-go has to tell is for -v, not for everyone's stderr.
func quietly(ctx context.Context) context.Context {
	return klog.NewContext(ctx, klog.FromContext(ctx).V(4))
}
