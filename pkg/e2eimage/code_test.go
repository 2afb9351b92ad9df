package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

func (b *bench) tagFails(change func(*config.Image)) error {
	b.t.Helper()
	s := suite("suite", "datastorage")
	change(&s.Images[0])
	_, err := b.client().Tag(b.t.Context(), TagInput{Suite: s})
	return err
}

func (b *bench) deployFails(consumer string) error {
	b.t.Helper()
	in := DeployInput{Suite: suite(consumer, "datastorage")}
	in.Suite.Images[0].Deploy = config.Deploy{Workloads: []string{"deployment/datastorage"}, Timeout: config.DefaultTimeout}
	_, err := b.client().Deploy(b.t.Context(), in)
	return err
}

// claim says that another consumer has deployed datastorage.
func (b *bench) claim(consumer string) {
	b.t.Helper()
	deployments := b.api.AppsV1().Deployments(namespace)
	d, err := deployments.Get(b.t.Context(), "datastorage", metav1.GetOptions{})
	if err == nil {
		d.Annotations = map[string]string{kube.ConsumerAnnotation: consumer}
		_, err = deployments.Update(b.t.Context(), d, metav1.UpdateOptions{})
	}
	if err != nil {
		b.t.Fatal(err)
	}
}

func TestWhatAVerbFailsOfHasItsCode(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		fails func(*bench) error
		code  Code
		exit  int
		of    Error
	}{
		"a mistake in the input": {func(b *bench) error {
			return b.tagFails(func(image *config.Image) { image.Source = "" })
		}, CodeUsage, 2, Error{}},
		"another cluster's nodes": {func(b *bench) error {
			b.kube.CertificateAuthorityData = newCA(b.t)
			return b.tagFails(asIs)
		}, CodeWrongCluster, 3, Error{Node: "dev-control-plane"}},
		"no such Kind cluster": {func(b *bench) error {
			in := TagInput{Suite: suite("suite", "datastorage")}
			in.Suite.KindCluster = "none"
			_, err := b.client().Tag(b.t.Context(), in)
			return err
		}, CodeNoCluster, 1, Error{}},
		"a Kind cluster that nobody named": {func(b *bench) error {
			b.kube.CertificateAuthorityData = newCA(b.t)
			client := b.client()
			client.options.Context = "production"
			_, err := client.Tag(b.t.Context(), TagInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeNoCluster, 2, Error{}},
		"no record": {func(b *bench) error {
			_, err := b.client().Ref(b.t.Context(), RefInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeNotRecorded, 1, Error{Image: "datastorage"}},
		"nothing to verify": {func(b *bench) error {
			_, err := b.client().Verify(b.t.Context(), VerifyInput{Suite: suite("suite")})
			return err
		}, CodeNotRecorded, 3, Error{Namespace: namespace}},
		"a source that no node has": {func(b *bench) error {
			return b.tagFails(func(image *config.Image) { image.Source = "localhost/none:none" })
		}, CodeNotLoaded, 1, Error{Image: "datastorage"}},
		"a source that one node lacks": {func(b *bench) error {
			b.cluster.Change(func(n *kindnodetest.Node) { delete(n.Images, source) }, "dev-worker")
			return b.tagFails(asIs)
		}, CodeNotLoaded, 3, Error{Image: "datastorage", Node: "dev-worker"}},
		"a record that all nodes lost": {func(b *bench) error {
			image := b.tagged("suite")
			b.cluster.Change(func(n *kindnodetest.Node) { n.Forget(image, source); n.Remove(imageID) }, b.cluster.Nodes()...)
			b.deployment("datastorage", source)
			return b.deployFails("suite")
		}, CodeNotLoaded, 3, Error{Image: "datastorage", Node: "dev-control-plane", Namespace: namespace}},
		"a newer source": {func(b *bench) error {
			b.tagged("suite")
			b.cluster.Load(source, otherID)
			in := DeployInput{Suite: suite("suite", "datastorage")}
			in.Suite.Images[0].Deploy.Workloads = []string{"deployment/datastorage"}
			b.deployment("datastorage", source)
			_, err := b.client().Deploy(b.t.Context(), in)
			return err
		}, CodeStale, 3, Error{Image: "datastorage"}},
		"a tag that is another image": {func(b *bench) error {
			b.cluster.Load("localhost/datastorage:v1", otherID)
			return b.tagFails(func(image *config.Image) { image.Tag = "v1" })
		}, CodeConflict, 3, Error{Image: "datastorage", Node: "dev-control-plane"}},
		"a tag that is recorded for another image": {func(b *bench) error {
			exact := func(image *config.Image) { image.Tag = "v1" }
			if err := b.tagFails(exact); err != nil {
				b.t.Fatal(err)
			}
			b.cluster.Load(source, otherID)
			return b.tagFails(exact)
		}, CodeConflict, 3, Error{Image: "datastorage", Namespace: namespace}},
		"a record that was changed by hand": {func(b *bench) error {
			b.tagged("suite")
			b.tamper("suite")
			_, err := b.client().Ref(b.t.Context(), RefInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeTampered, 3, Error{Image: "datastorage", Namespace: namespace}},
		"a record of a version to come": {func(b *bench) error {
			b.tagged("suite")
			configMap := b.configMap("suite")
			configMap.Data["datastorage"] = strings.Replace(configMap.Data["datastorage"], record.APIVersion, "e2eimage.dev/v9", 1)
			if _, err := b.api.CoreV1().ConfigMaps(namespace).Update(b.t.Context(), configMap, metav1.UpdateOptions{}); err != nil {
				b.t.Fatal(err)
			}
			_, err := b.client().Ref(b.t.Context(), RefInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeNewer, 3, Error{Image: "datastorage"}},
		"a workload of another consumer": {func(b *bench) error {
			b.tagged("suite")
			b.tagged("other")
			b.deployment("datastorage", source)
			b.claim("other")
			return b.deployFails("suite")
		}, CodeClaimed, 3, Error{Namespace: namespace, Workload: "deployment.apps/datastorage"}},
		"a tag in use": {func(b *bench) error {
			b.deployment("datastorage", b.tagged("suite"))
			_, err := b.clean(unchanged)
			return err
		}, CodeInUse, 3, Error{}},
		"nothing runs what is recorded": {func(b *bench) error {
			b.tagged("suite")
			_, err := b.client().Verify(b.t.Context(), VerifyInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeInconsistent, 3, Error{}},
		"a manifest with an image that is not recorded": {func(b *bench) error {
			b.tagged("suite")
			_, err := b.client().Render(b.t.Context(), RenderInput{Suite: suite("suite", "datastorage"), Manifests: pod("e2eimage://none")})
			return err
		}, CodeManifest, 1, Error{}},
		"an image that no engine has": {func(b *bench) error {
			_, err := b.client().Load(b.t.Context(), LoadInput{Suite: suite("suite", "none")})
			return err
		}, CodeSource, 1, Error{Image: "none"}},
		"a build that fails": {func(b *bench) error {
			h := newHost(b.t, map[string]string{"datastorage": "FROM scratch"})
			h.fails = []string{"podman build"}
			_, err := h.build()
			return err
		}, CodeBuild, 1, Error{Image: "datastorage"}},
		"a node that breaks": {func(b *bench) error {
			b.cluster.Before = failing(adds, "dev-worker")
			return b.tagFails(asIs)
		}, CodeFailed, 1, Error{}},
		"a caller that does not wait": {func(b *bench) error {
			ctx, cancel := context.WithCancel(b.t.Context())
			cancel()
			_, err := b.client().Tag(ctx, TagInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeInterrupted, 1, Error{}},
		"a caller whose time is up": {func(b *bench) error {
			ctx, cancel := context.WithTimeout(b.t.Context(), 0)
			defer cancel()
			_, err := b.client().Tag(ctx, TagInput{Suite: suite("suite", "datastorage")})
			return err
		}, CodeTimeout, 124, Error{}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := test.fails(newBench(t))
			var found *Error
			if !errors.As(err, &found) {
				t.Fatalf("nothing is found in %v", err)
			}
			if CodeOf(err) != test.code || found.Code != test.code || ExitCode(err) != test.exit || found.ExitCode() != test.exit {
				t.Errorf("%s (%s), exit code %d (%d): %v", CodeOf(err), found.Code, ExitCode(err), found.ExitCode(), err)
			}
			if found.Image != test.of.Image || found.Node != test.of.Node || found.Namespace != test.of.Namespace || found.Workload != test.of.Workload {
				t.Errorf("it is about %+v", found)
			}
			for exit, of := range map[int]bool{2: as[*UsageError](err), 3: as[*InconsistentError](err), 124: as[*TimeoutError](err)} {
				if of != (exit == test.exit) {
					t.Errorf("its type has exit code %d: %t", exit, of)
				}
			}
		})
	}
}

func TestWhatIsInOneErrorIsAllFound(t *testing.T) {
	t.Parallel()
	plain, late := errors.New("connection reset"), &TimeoutError{errors.New("not done after --timeout=1s")}
	stale := (&Error{Code: CodeStale, Image: "a", Fix: "build it"}).says("a: it is old")
	crash := &rollout.FailedError{Workload: "deployment.apps/a", Reason: "CrashLoopBackOff", Restarts: 3}
	slow := &rollout.FailedError{Workload: "deployment.apps/b", Reason: "Timeout", NotInTime: true}
	for name, test := range map[string]struct {
		err   error
		codes []Code
		code  Code
		exit  int
	}{
		"none":                             {nil, nil, "", 0},
		"a plain one":                      {plain, []Code{CodeFailed}, CodeFailed, 1},
		"wrapped":                          {fmt.Errorf("while deploying: %w", stale), []Code{CodeStale}, CodeStale, 3},
		"side by side":                     {errors.Join(plain, stale), []Code{CodeFailed, CodeStale}, CodeStale, 3},
		"of each image":                    {errors.Join(&imageError{"a", plain}, &imageError{"b", &noRecordError{}}), []Code{CodeFailed, CodeNotRecorded}, CodeNotRecorded, 1},
		"all mistakes":                     {&UsageError{errors.Join(plain, plain)}, []Code{CodeUsage, CodeUsage}, CodeUsage, 2},
		"mistakes in the file":             {&config.UsageError{}, []Code{CodeUsage}, CodeUsage, 2},
		"of a kind, but known":             {&InconsistentError{&noRecordError{}}, []Code{CodeNotRecorded}, CodeNotRecorded, 3},
		"the gravest decides":              {errors.Join(&UsageError{plain}, &InconsistentError{plain}), []Code{CodeUsage, CodeInconsistent}, CodeInconsistent, 3},
		"the first rollout decides":        {fmt.Errorf("%w\n\n%w", crash, slow), []Code{CodeRollout, CodeRollout}, CodeRollout, 1},
		"a rollout, when time was up":      {fmt.Errorf("stopped: %w\n\n%w", late, crash), []Code{CodeRollout}, CodeRollout, 124},
		"a rollout that is inconsistent":   {&rollout.FailedError{Inconsistent: true}, []Code{CodeRollout}, CodeRollout, 3},
		"what was undone":                  {&UndoneError{Err: &record.SupersededError{}}, []Code{CodeConflict}, CodeConflict, 3},
		"a name that is a record's":        {&kindnode.TakenError{}, []Code{CodeConflict}, CodeConflict, 3},
		"a node that does not answer":      {&kindnode.NoResponseError{}, []Code{CodeNoResponse}, CodeNoResponse, 124},
		"a record of a newer version":      {&record.NewerError{}, []Code{CodeNewer}, CodeNewer, 3},
		"a lock of a newer version":        {&InconsistentError{&lock.DamagedError{Newer: "v9"}}, []Code{CodeNewer}, CodeNewer, 3},
		"a lock that is damaged":           {&InconsistentError{&lock.DamagedError{}}, []Code{CodeTampered}, CodeTampered, 3},
		"a deadline":                       {fmt.Errorf("asking: %w", context.DeadlineExceeded), []Code{CodeTimeout}, CodeTimeout, 124},
		"a mistake beside what is changed": {errors.Join(&UsageError{plain}, &record.MovedError{Set: &record.Set{}}), []Code{CodeUsage, CodeConflict}, CodeConflict, 3},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{test.err, classify(test.err)} {
				var codes []Code
				for _, one := range Errors(err) {
					codes = append(codes, one.Code)
				}
				if !slices.Equal(codes, test.codes) || CodeOf(err) != test.code || ExitCode(err) != test.exit {
					t.Errorf("%q, of them %q, exit code %d", codes, CodeOf(err), ExitCode(err))
				}
			}
		})
	}
}

func TestAFindingSaysWhatIsSaidOfIt(t *testing.T) {
	t.Parallel()
	stale := (&Error{Code: CodeStale, Image: "a", Fix: "build it"}).says("a: it is old")
	err := fmt.Errorf("%w\nto go on anyway: --allow-stale", stale)
	found := Errors(err)
	if len(found) != 1 || found[0].Error() != "a: it is old\nbuild it\nto go on anyway: --allow-stale" || found[0].Fix != "build it" || !errors.Is(found[0], stale) {
		t.Errorf("%+v", found)
	}
	if stale.Error() != "a: it is old\nbuild it" {
		t.Errorf("the error itself became %q", stale)
	}
}

func TestARolloutIsFoundWithAllThatWasSeen(t *testing.T) {
	t.Parallel()
	crash := &rollout.FailedError{
		Workload: "deployment.apps/datastorage", Namespace: namespace, Reason: "CrashLoopBackOff", Pod: "datastorage-1", Container: "server",
		Node: "dev-worker", Image: source, Message: "exit code 1", Restarts: 3, Logs: []string{"no database"}, Events: []string{"BackOff"},
	}
	interrupted := &rollout.FailedError{Workload: "deployment.apps/gateway", Reason: "Interrupted"}
	err := error(&verbError{classify(fmt.Errorf("%w\n\n%w", crash, interrupted))})
	var failed *RolloutError
	if !errors.As(err, &failed) || failed.Pod != "datastorage-1" || failed.Restarts != 3 || failed.Logs[0] != "no database" || failed.Events[0] != "BackOff" || failed.Ended {
		t.Errorf("%+v", failed)
	}
	if found := Errors(err); len(found) != 2 || found[0].Node != "dev-worker" || !found[1].Rollout.Ended || found[0].Error() != crash.Error() {
		t.Errorf("%+v", found)
	} else if !errors.As(found[1], &failed) || failed.Workload != "deployment.apps/gateway" {
		t.Errorf("in the second there is %+v", failed)
	}
}
