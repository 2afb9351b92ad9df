package e2eimage

import (
	"slices"
	"testing"
	"time"
)

func TestAWaitIsForOtherWorkloadsToo(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		waitFor []string
		// fails are what the error says, none where all is well.
		fails []string
	}{
		"one that is rolled out":                 {[]string{"deployment/ingress"}, nil},
		"one that is of an image, too":           {[]string{"deployment/datastorage", "tests/deploy/datastorage"}, nil},
		"one that does not come up":              {[]string{"deployment/broken"}, []string{"deployment.apps/broken in namespace tests is not rolled out: Timeout", "ErrImageNeverPull"}},
		"one that is not there":                  {[]string{"deployment/ingres"}, []string{"there is no deployment.apps/ingres in namespace tests to wait for; there is deployment/ingress"}},
		"one in a namespace that has none":       {[]string{"other/deployment/ingress"}, []string{"there is no deployment.apps/ingress in namespace other to wait for, and no other workload"}},
		"several that are not, all said at once": {[]string{"job/a", "job/b"}, []string{"no job.batch/a", "no job.batch/b"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			recorded := b.tagged("suite")
			b.cluster.Load("localhost/ingress:1", otherID)
			b.deployment("ingress", "localhost/ingress:1")
			b.deployment("broken", "localhost/none:none")
			b.deployment("datastorage", recorded)
			s := suite("suite", "datastorage")
			s.WaitFor = test.waitFor
			s.Images[0].Deploy.Timeout = time.Second
			s.Images[0].Deploy.Workloads = []string{"deployment/datastorage"}
			verbs := map[string]func() error{
				"verify": func() error {
					_, err := b.client().Verify(t.Context(), VerifyInput{Suite: s, Wait: true, Timeout: time.Second})
					return err
				},
				"deploy": func() error {
					_, err := b.client().Deploy(t.Context(), DeployInput{Suite: s})
					return err
				},
			}
			for verb, run := range verbs {
				err := run()
				if len(test.fails) > 0 {
					says(t, err, test.fails...)
				} else if err != nil {
					t.Errorf("%s: %v", verb, err)
				}
			}
			if _, err := b.client().Verify(t.Context(), VerifyInput{Suite: s}); err != nil {
				t.Errorf("without waiting: %v", err)
			}
		})
	}
}

func TestWorkloadsThatAreWaitedForAreCheckedFirst(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	s := suite("suite", "datastorage")
	s.WaitFor = []string{"thing/ingress", "deployment/a", "service/b"}
	_, err := b.client().Deploy(t.Context(), DeployInput{Suite: s})
	is[*UsageError](t, err, `waitFor[0]: workload "thing/ingress": the kind "thing" cannot be deployed to`, `waitFor[2]: workload "service/b"`)
	if writes := b.writes(); len(writes) > 0 {
		t.Errorf("it wrote %v", writes)
	}
	s.WaitFor = []string{"x"}
	_, err = b.client().Verify(t.Context(), VerifyInput{Suite: s, Wait: true})
	is[*UsageError](t, err, `Suite.WaitFor[0]: "x" is not KIND/NAME`)
}

func TestWithoutAnyImageOthersAreWaitedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	b.deployment("broken", "localhost/none:none")
	s := suite("suite", "datastorage")
	s.WaitFor = []string{"deployment/broken"}
	for _, all := range []bool{false, true} {
		_, err := b.client().Verify(t.Context(), VerifyInput{Suite: s, Wait: true, AllNamespaces: all, Timeout: time.Second})
		says(t, err, "deployment.apps/broken in namespace tests is not rolled out")
		if found := Errors(err); !slices.ContainsFunc(found, func(e *Error) bool { return e.Code == CodeRollout }) {
			t.Errorf("it is %v", found)
		}
	}
}
