package apply

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"time"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/client-go/util/retry"
	"sigs.k8s.io/yaml"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/outlive"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

const (
	// deletionLimit is how long a deletion may take on top of the grace period,
	// creationLimit how long making it anew may.
	deletionLimit = time.Minute
	creationLimit = 30 * time.Second
)

// replace deletes the workload and makes it anew with its images.
func (p *Plan) replace(ctx context.Context, t *target, report progress.Reporter) error {
	if p.options.DryRun == DryRunServer {
		return p.deleteAndWait(ctx, t, []string{metav1.DryRunAll})
	}
	fresh := t.replacement()
	return p.recreate(ctx, t, report, func(ctx context.Context) error {
		raw, err := t.Ref.Client(p.api).Create(ctx, fresh, metav1.CreateOptions{FieldManager: fieldManager})
		if err != nil {
			return err
		}
		t.Patched = true
		t.Object, err = kube.AsObject(raw)
		return err
	})
}

// recreate deletes the workload and has it created. Its manifest is kept in a file until
// that is done, for runs that are killed. An interrupted run waits for deletionLimit
// at most, and creates what is gone then. If it cannot be created it is made as it was.
func (p *Plan) recreate(ctx context.Context, t *target, report progress.Reporter,
	create func(context.Context) error,
) (err error) {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	// Whether it is gone must be seen.
	_, err = t.Ref.Client(p.api).List(ctx, metav1.ListOptions{FieldSelector: kube.ByName(t.Ref.Name), Limit: 1})
	if err != nil {
		return kube.ExplainAPI("list "+t.Ref.Where(), err)
	}
	was := sanitizeForCreate(t.Object)
	file, err := saveManifest(t, was)
	if err != nil {
		return fmt.Errorf("cannot save %s before deleting it, so nothing was changed: %w", t.Ref.Where(), err)
	}
	gone := false
	defer func() {
		if !gone {
			if left := os.Remove(file); left != nil && !errors.Is(left, fs.ErrNotExist) {
				report.Warn(left.Error())
			}
			return
		}
		err = fmt.Errorf("%w\nto restore it as it was: kubectl create -f %s", err, file)
	}()
	limit := gracePeriod(t.Object) + deletionLimit
	report.Info(fmt.Sprintf("deleting and recreating %s, within %s; if this run is killed, restore it: kubectl create "+
		"-f %s", t.Ref, limit,
		file))
	deleting, cancel := outlive.WithGracePeriod(ctx, deletionLimit)
	defer cancel()
	deleting, cancel = context.WithTimeoutCause(deleting, limit,
		fmt.Errorf("waited for %s: %w", limit, context.DeadlineExceeded))
	defer cancel()
	if err := p.deleteAndWait(deleting, t, nil); err != nil {
		var begun *deletionPendingError
		gone = errors.As(err, &begun)
		return err
	}
	creating, cancel := context.WithTimeout(context.WithoutCancel(ctx), creationLimit)
	defer cancel()
	err = create(creating)
	if err == nil {
		return nil
	}
	if p.existsAnew(creating, t, err) {
		return fmt.Errorf("recreate %s: somebody created it meanwhile; deploy again: %w", t.Ref.Where(), err)
	}
	err = kube.ExplainAPI("recreate "+t.Ref.Where(), err)
	restoring, cancel := context.WithTimeout(context.WithoutCancel(ctx), creationLimit)
	defer cancel()
	if _, failed := t.Ref.Client(p.api).Create(restoring, was.Object,
		metav1.CreateOptions{FieldManager: fieldManager}); failed != nil {
		gone = true
		return fmt.Errorf("%w\nit is deleted now, and restoring it failed, too: %w", err, failed)
	}
	return fmt.Errorf("%w\nit was restored as it was", err)
}

// deletionPendingError: the deletion has begun, so that the workload is as good as gone.
type deletionPendingError struct{ error }

func (e *deletionPendingError) Unwrap() error { return e.error }

// gracePeriod is how long the pods of the workload may take to end.
func gracePeriod(o kube.Object) time.Duration {
	const usual = 30 // seconds, which the API server fills in
	seconds := int64(usual)
	if o.Template.Spec.TerminationGracePeriodSeconds != nil {
		seconds = *o.Template.Spec.TerminationGracePeriodSeconds
	}
	return time.Duration(seconds) * time.Second
}

// saveManifest writes the manifest of a workload to a file that only the user can read.
func saveManifest(t *target, was kube.Object) (string, error) {
	const most = 100 // of a name, whose file system may not take all of it
	was.GetObjectKind().SetGroupVersionKind(t.Ref.Kind.GroupVersionKind())
	text, err := yaml.Marshal(was.Object)
	if err != nil {
		return "", err
	}
	file, err := os.CreateTemp("", "e2eimage-"+string(t.Ref.Kind)+"-"+t.Ref.Name[:min(len(t.Ref.Name), most)]+"-*.yaml")
	if err != nil {
		return "", err
	}
	_, err = file.Write(text)
	if err := errors.Join(err, file.Close()); err != nil {
		return "", errors.Join(err, os.Remove(file.Name()))
	}
	return file.Name(), nil
}

// deleteAndWait deletes a workload and its pods, and watches until it is gone.
func (p *Plan) deleteAndWait(ctx context.Context, t *target, dryRun []string) error {
	c, ref, was := t.Ref.Client(p.api), t.Ref, t.Object.Meta
	options := metav1.DeleteOptions{
		Preconditions:     &metav1.Preconditions{UID: &was.UID},
		PropagationPolicy: new(metav1.DeletePropagationForeground), DryRun: dryRun,
	}
	err := retry.OnError(retry.DefaultBackoff, outcomeUnknown, func() error { return c.Delete(ctx, ref.Name, options) })
	switch {
	case apierrors.IsNotFound(err):
	case outcomeUnknown(err) && dryRun == nil:
		return &deletionPendingError{kube.ExplainAPI("delete "+ref.Where()+", which may have happened", err)}
	case err != nil:
		return kube.ExplainAPI("delete "+ref.Where(), err)
	}
	if dryRun != nil {
		return nil
	}
	another := func(raw runtime.Object) bool {
		o, err := kube.AsObject(raw)
		return err == nil && o.Meta.UID != was.UID
	}
	err = until(ctx, c, p.api, ref.Name, never, func(store cache.Store) (bool, error) {
		raw, there, err := store.GetByKey(ref.Namespace + "/" + ref.Name)
		typed, ok := raw.(runtime.Object)
		return !there || ok && another(typed), err
	}, func(event watch.Event) (bool, error) {
		return event.Type == watch.Deleted || another(event.Object), nil
	})
	if err != nil {
		return &deletionPendingError{
			fmt.Errorf("%s is being deleted, but not gone yet: %w\nlook what holds it: kubectl get %s -n %s -o yaml",
				ref.Where(), err, ref.Typed(), ref.Namespace),
		}
	}
	return nil
}

// outcomeUnknown tells whether it is unknown if the API server did what it was asked for.
func outcomeUnknown(err error) bool {
	if err == nil {
		return false
	}
	var status apierrors.APIStatus
	return !errors.As(err, &status) || status.Status().Code >= http.StatusInternalServerError
}

// existsAnew tells whether there is another of the name since it was deleted: made by
// somebody else, or by us, unless the error says that it was not.
func (p *Plan) existsAnew(ctx context.Context, t *target, err error) bool {
	if !apierrors.IsAlreadyExists(err) && !outcomeUnknown(err) {
		return false
	}
	raw, err := t.Ref.Client(p.api).Get(ctx, t.Ref.Name, metav1.GetOptions{})
	if err != nil {
		return false
	}
	o, err := kube.AsObject(raw)
	return err == nil && o.Meta.UID != t.Object.Meta.UID
}
