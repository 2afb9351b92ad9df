package e2eimage

import (
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhatIsLeftIsOneLineForEachTag(t *testing.T) {
	t.Parallel()
	pod := func(image, name string) TagInUse {
		return TagInUse{Image: image, Workload: "pod/" + name, Namespace: "tests"}
	}
	got := DescribeLeft([]TagInUse{
		pod("localhost/a:1", "a-0"), pod("localhost/b:1", "b-0"), pod("localhost/a:1", "a-1"), pod("localhost/a:1", "a-2"), pod("localhost/a:1", "a-3"), pod("localhost/a:1", "a-4"),
		{Image: "localhost/c:1", Namespace: "tests", Unseen: []string{"jobs"}},
		pod("localhost/d:1", "d-0"), pod("localhost/d:1", "d-1"),
	}, false)
	want := []string{
		"localhost/a:1 is left: in use by 5: pod/a-0 in namespace tests; pod/a-1 in namespace tests; pod/a-2 in namespace tests; and 2 more",
		"localhost/b:1 is left: in use by pod/b-0 in namespace tests",
		"localhost/c:1 is left: perhaps in use: jobs may not be listed in namespace tests (docs/rbac.md)",
		"localhost/d:1 is left: in use by 2: pod/d-0 in namespace tests; pod/d-1 in namespace tests",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
