package workload

import (
	"sync"
	"testing"

	"k8s.io/apimachinery/pkg/api/meta"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// reported keeps what a reporter was told.
type reported struct {
	mu       sync.Mutex
	warnings []string
	infos    []string
	ended    []error
}

var _ progress.Reporter = (*reported)(nil)

func (r *reported) Start(progress.Step) progress.Running { return &reportedStep{r} }

func (r *reported) Output(string, string) bool { return true }

type reportedStep struct{ *reported }

func (s *reportedStep) Now(string) {}

func (s *reportedStep) Result(string) {}

func (s *reportedStep) End(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.ended = append(s.ended, err)
}

func (r *reported) Info(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.infos = append(r.infos, message)
}

func (r *reported) Warn(message string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.warnings = append(r.warnings, message)
}

// sent are the verbs and resources that the API was asked for.
func sent(api *fake.Clientset) []string {
	var asked []string
	for _, action := range api.Actions() {
		asked = append(asked, action.GetVerb()+" "+action.GetResource().Resource)
	}
	return asked
}

// put stores an object in the fake API as its controller would, watches told.
func put(t *testing.T, api *fake.Clientset, object runtime.Object) {
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
