package cli

import (
	"fmt"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// longNamed are records with names of 60 characters, as real suites have them.
func longNamed() *e2eimage.StatusResult {
	image := func(name, tag string, state e2eimage.State, running int) e2eimage.ImageStatus {
		return e2eimage.ImageStatus{
			Name: name, Consumer: "workflowexecution", Namespace: "kubernaut-system", Image: "localhost/" + name + ":" + tag, Repository: "localhost/" + name,
			Tag: tag, ImageID: imageID, NodesWith: []string{"a", "b", "c"}, State: state, Running: running, Wanted: 2, Source: "localhost/" + name + ":dev",
			Engine: "podman", Platform: "linux/amd64", By: "me@here", Workloads: []e2eimage.WorkloadStatus{{Name: "deployment.apps/" + name, Running: running, Wanted: 2}},
		}
	}
	drifted := image("gateway", "workflowexecution-deadbeef", e2eimage.StateDrifted, 0)
	drifted.Problems = []e2eimage.Problem{{State: e2eimage.StateDrifted, Text: "deployment.apps/gateway is to run another"}}
	const suite = "kubernaut-workflowexecution-datastorage-integration-suite-"
	return &e2eimage.StatusResult{Namespace: "kubernaut-system", Images: []e2eimage.ImageStatus{
		image(suite+"01", "workflowexecution-a1b2c3d4", e2eimage.StateConsistent, 2),
		image(suite+"02", "workflowexecution-a1b2c3d5", e2eimage.StateRolling, 1),
		drifted,
		image("effectivenessmonitor", "workflowexecution-11111111", e2eimage.StateStale, 2),
	}, Mend: []string{"kubectl e2eimage up effectivenessmonitor", "kubectl e2eimage deploy gateway"}}
}

func TestStatusFitsIntoTheTerminal(t *testing.T) {
	t.Parallel()
	for name, on := range map[string]screen{
		"80": {width: 80}, "120": {width: 120}, "200": {width: 200}, "80-coloured": {width: 80, coloured: true}, "pipe": {},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.screen = on
			c.library.stated = longNamed()
			c.done("status")
			golden(t, "status-at-"+name, c.out.String())
			for line := range strings.Lines(c.out.String()) {
				length := utf8.RuneCountInString(strings.TrimRight(line, "\n"))
				if on.width > 0 && !on.coloured && length > on.width {
					t.Errorf("%d columns: %s", length, line)
				}
			}
		})
	}
}

func TestStatusOfAllNamespacesFitsIntoTheTerminal(t *testing.T) {
	t.Parallel()
	for name, width := range map[string]int{"80": 80, "120": 120} {
		c := newConsole(t)
		c.screen.width = width
		result := longNamed()
		result.Namespace = ""
		result.Images[2].Consumer, result.Images[2].Namespace = "fullpipeline", "kubernaut-e2e"
		c.library.stated = result
		c.done("status -A")
		golden(t, "status-all-at-"+name, c.out.String())
		for line := range strings.Lines(c.out.String()) {
			if length := utf8.RuneCountInString(strings.TrimRight(line, "\n")); length > width {
				t.Errorf("%d columns: %s", length, line)
			}
		}
		if in := c.library.status[0]; !in.AllNamespaces {
			t.Errorf("it asked for %+v", in)
		}
	}
}

func TestColoursAreForTerminalsThatHaveThem(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		coloured    bool
		environment map[string]string
		want        bool
	}{
		"a terminal":              {coloured: true, want: true},
		"a pipe":                  {},
		"NO_COLOR":                {coloured: true, environment: map[string]string{"NO_COLOR": "1"}},
		"NO_COLOR without a word": {coloured: true, environment: map[string]string{"NO_COLOR": ""}, want: true},
		"a dumb terminal":         {coloured: true, environment: map[string]string{"TERM": "dumb"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			for _, line := range []string{"status", "verify"} {
				c := newConsole(t)
				c.screen.coloured, c.environment = test.coloured, test.environment
				c.library.stated = longNamed()
				c.done(line)
				if got := strings.Contains(c.out.String(), red+"Drifted"+ordinary); got != test.want {
					t.Errorf("%s: coloured %v in %q", line, got, c.out.String())
				}
			}
		})
	}
}

func TestShortNamesCanBeToldApart(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		cells []string
		room  int
		want  []string
	}{
		"nothing is too long":           {[]string{"ab", "abc"}, 3, []string{"ab", "abc"}},
		"they differ at the end":        {[]string{"aaaaaaaa1", "aaaaaaaa2"}, 5, []string{"aa…a1", "aa…a2"}},
		"they differ in the middle":     {[]string{"aaa1aaaaa", "aaa2aaaaa"}, 5, []string{"aaa1…", "aaa2…"}},
		"they cannot be shorter":        {[]string{"aaa1aaaa1aaa", "aaa2aaaa1aaa", "aaa1aaaa2aaa"}, 3, []string{"aaa1…1aaa", "aaa2…1aaa", "aaa1…2aaa"}},
		"the same is not to be told":    {[]string{"aaaaaaaa1", "aaaaaaaa1"}, 5, []string{"aa…a1", "aa…a1"}},
		"one is what another would get": {[]string{"aa…a1", "aaaaaaaa1"}, 5, []string{"aa…a1", "a…aa1"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			shown := &table{columns: []column{{title: "N"}}}
			for _, cell := range test.cells {
				shown.add(cell)
			}
			shown.shorten(0, test.room)
			for i, want := range test.want {
				if got := shown.rows[i][0]; got != want {
					t.Errorf("%s is %s, want %s", test.cells[i], got, want)
				}
			}
		})
	}
}

func TestJobsAreShownByHowTheyStand(t *testing.T) {
	t.Parallel()
	job := e2eimage.WorkloadStatus{Name: "job.batch/a", Phase: "Complete"}
	for want, workloads := range map[string][]e2eimage.WorkloadStatus{
		"<none>": nil, "Complete": {job, job}, "Complete,Failed": {job, {Name: "job.batch/b", Phase: "Failed"}}, "1/2": {job, {Name: "pod/x", Running: 1, Wanted: 2}},
	} {
		if got := readyOf(e2eimage.ImageStatus{Workloads: workloads, Running: 1, Wanted: 2}); got != want {
			t.Errorf("%v: %s, want %s", workloads, got, want)
		}
	}
}

func TestWatchShowsOnlyWhatChanged(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	first, second, third := statedThree(), statedThree(), statedThree()
	third.Images[1].State, third.Images[1].NodesWith, third.Images[1].NodesWithout = e2eimage.StateConsistent, []string{"a", "b"}, nil
	// One record goes, and the image that had none gets one.
	fourth := statedThree()
	fourth.Images = fourth.Images[1:]
	fourth.Images[0] = third.Images[1]
	fourth.Images[1] = e2eimage.ImageStatus{
		Name: "none", Consumer: "suite", Image: "localhost/none:suite-1", Tag: "suite-1",
		NodesWith: []string{"a", "b"}, State: e2eimage.StateConsistent,
	}
	c.library.watched = []*e2eimage.StatusResult{first, second, third, fourth, fourth, third}
	c.done("status --watch")
	golden(t, "status-watch", c.out.String())
	c.done("status -w -o name")
}

func TestColumnsOfAWatchDoNotShift(t *testing.T) {
	t.Parallel()
	const short, long = "suite-1", "workflowexecution-0c150c45"
	const longest = "workflowexecution-integration-suite-of-the-datastorage-team-0c150c45"
	look := func(tags ...string) *e2eimage.StatusResult {
		result := &e2eimage.StatusResult{Namespace: "tests"}
		for i, tag := range tags {
			result.Images = append(result.Images, e2eimage.ImageStatus{
				Name: fmt.Sprintf("image-%d", i), Consumer: "suite", Image: "localhost/image:" + tag, Tag: tag,
				NodesWith: []string{"a"}, State: e2eimage.StateConsistent,
			})
		}
		return result
	}
	ready := func(result *e2eimage.StatusResult, running, wanted int) *e2eimage.StatusResult {
		for i := range result.Images {
			result.Images[i].Running, result.Images[i].Wanted = running, wanted
			result.Images[i].Workloads = []e2eimage.WorkloadStatus{{Name: "deployment.apps/x", Running: running, Wanted: wanted}}
		}
		return result
	}
	for name, width := range map[string]int{"pipe": 0, "80": 80, "60": 60, "20": 20} {
		c := newConsole(t)
		c.screen.width = width
		c.library.watched = []*e2eimage.StatusResult{
			ready(look(long, short), 0, 1), ready(look(long, short), 1, 1), look(long, short), ready(look(long, long), 10, 12),
			ready(look(short, short), 1, 1), ready(look(short, longest), 1, 1), ready(look(short, long), 1, 2),
		}
		c.done("status --watch")
		golden(t, "status-watch-at-"+name, c.out.String())
	}
}

func TestStatusSaysWhatToTypeNext(t *testing.T) {
	t.Parallel()
	rolling := statedThree()
	rolling.Images, rolling.Mend = rolling.Images[:1], nil
	rolling.Images[0].State = e2eimage.StateRolling
	right := statedThree()
	right.Images = right.Images[:1]
	one := longNamed()
	one.Mend = one.Mend[:1]
	for name, test := range map[string]struct {
		stated     *e2eimage.StatusResult
		line, want string
	}{
		"all is right":      {right, "status", ""},
		"one command mends": {one, "status", "mend it: kubectl e2eimage up effectivenessmonitor\n"},
		"several do":        {longNamed(), "status a -n x -o wide --consumer c", "what is wrong, and what mends it: kubectl e2eimage verify a -n x --consumer c\n"},
		"secrets are not repeated": {
			longNamed(), "status --token=hunter2 --as-group=g --context kind-dev",
			"what is wrong, and what mends it: kubectl e2eimage verify --context kind-dev\n",
		},
		"in all namespaces": {longNamed(), "status -A", "what is wrong, and what mends it: kubectl e2eimage verify -A\n"},
		"time does":         {rolling, "status", "wait for it: kubectl e2eimage verify --wait\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.stated = test.stated
			c.done(test.line)
			if got := c.errOut.String(); got != test.want {
				t.Errorf("stderr %q, want %q", got, test.want)
			}
		})
	}
}
