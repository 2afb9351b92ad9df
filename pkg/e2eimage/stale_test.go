package e2eimage

import (
	"strings"
	"testing"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/freshness"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

func TestWhatIsStaleIsSaidInItsFirstLine(t *testing.T) {
	t.Parallel()
	then := metav1.NewTime(time.Now().Add(-241 * time.Hour))
	evidence := &record.Evidence{Image: "localhost/a:suite-1", ImageID: imageID, Source: "localhost/a:dev", Recorded: &then}
	newest := freshness.Content{Engine: "podman", ImageID: otherID}
	for name, test := range map[string]struct {
		finding freshness.Finding
		entry   *lock.Entry
		want    string
	}{
		"the host has something newer": {
			freshness.Finding{Relation: freshness.NotLoaded, Newest: newest},
			nil,
			"a: localhost/a:dev in podman was rebuilt, but not loaded|" +
				"it is sha256:222222222222, not sha256:111111111111 (recorded 10d ago as localhost/a:suite-1)|" +
				"load and tag it: kubectl e2eimage load a --source localhost/a:dev && kubectl e2eimage tag a --source localhost/a:dev",
		},
		"the nodes have something newer": {
			freshness.Finding{Relation: freshness.NotTagged, By: freshness.ByNodes, Newest: newest},
			nil,
			"a: another localhost/a:dev was loaded, but not tagged|" +
				"the nodes have sha256:222222222222 as localhost/a:dev; recorded is localhost/a:suite-1 (sha256:111111111111, 10d ago)|tag it: kubectl e2eimage tag a",
		},
		"the lock has something newer": {
			freshness.Finding{Relation: freshness.NotLoaded, By: freshness.ByLock, Newest: newest},
			&lock.Entry{ImageID: otherID, Built: &then, Via: lock.ViaBuild},
			"a: it was built, but not loaded|the lock has sha256:222222222222, built 10d ago; recorded is localhost/a:suite-1 (sha256:111111111111, 10d ago)|" +
				"load and tag it: kubectl e2eimage load a && kubectl e2eimage tag a",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			k := &comparison{image: config.Image{Name: "a"}, evidence: evidence, entry: test.entry, host: hostAnswer{source: "localhost/a:dev"}}
			if got := strings.ReplaceAll(k.older(test.finding, config.Suite{}).Error(), "\n", "|"); got != test.want {
				t.Errorf("\n%s, want\n%s", got, test.want)
			}
		})
	}
}
