package kubetest

import (
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// Reporter keeps what it was told.
type Reporter struct {
	progress.Discard

	mu       sync.Mutex
	Warnings []string
	Infos    []string
	Ended    []error
}

var _ progress.Reporter = (*Reporter)(nil)

// Start implements progress.Reporter.
func (r *Reporter) Start(progress.Step) progress.Running { return &reportedStep{reporter: r} }

// Output implements progress.Reporter.
func (r *Reporter) Output(string, string) bool { return true }

type reportedStep struct {
	progress.Unheard
	reporter *Reporter
}

// End implements progress.Running.
func (s *reportedStep) End(err error) {
	s.reporter.mu.Lock()
	defer s.reporter.mu.Unlock()
	s.reporter.Ended = append(s.reporter.Ended, err)
}

// Info implements progress.Reporter.
func (r *Reporter) Info(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Infos = append(r.Infos, message)
}

// Warn implements progress.Reporter.
func (r *Reporter) Warn(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.Warnings = append(r.Warnings, message)
}

// Sent are the verbs and resources that the API was asked for.
func Sent(api *fake.Clientset) []string {
	var asked []string
	for _, action := range api.Actions() {
		asked = append(asked, action.GetVerb()+" "+action.GetResource().Resource)
	}
	return asked
}

// Put stores an object in the fake API as its controller would, watches told.
func Put(t *testing.T, api *fake.Clientset, object runtime.Object) {
	t.Helper()
	gvks, _, err := scheme.Scheme.ObjectKinds(object)
	if err != nil {
		t.Fatal(err)
	}
	resource, _ := meta.UnsafeGuessKindToResource(gvks[0])
	if err := api.Tracker().Update(resource, object, "e2e"); err != nil {
		if err := api.Tracker().Create(resource, object, "e2e"); err != nil {
			t.Fatal(err)
		}
	}
}
