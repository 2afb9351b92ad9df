package e2e

import (
	"encoding/json"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/faults"
)

var (
	chaosFor    = flag.Duration("chaos.for", time.Minute, "how long TestChaos goes on, unless chaos.rounds says it")
	chaosRounds = flag.Int("chaos.rounds", 0, "how many rounds TestChaos has in all")
	chaosWorlds = flag.Int("chaos.worlds", 1, "how many sets of consumers, each in a namespace of its own, TestChaos has at once (see -parallel)")
	chaosSeed   = flag.Uint64("chaos.seed", uint64(time.Now().UnixNano()), "seed of TestChaos: the same seed draws the same")
)

// chaos is rounds of random commands, several at once, with random faults, on a
// few consumers. It knows what must hold after each.
type chaos struct {
	*user
	nodes     map[string]asked
	random    *rand.Rand
	consumers []string
	variants  []string          // image IDs that a source can have
	sources   map[string]string // name → the image ID that its source has now
	done      map[string]string // Deployment → image ID that deploy said it runs
	faults    map[string]int    // how often each came, see action.came
}

// action is one command of a round.
type action struct {
	args           []string
	consumer, name string
	fault          string
	rules          []faults.Rule
	kill           syscall.Signal
	killAfter      time.Duration
	result         outcome
}

func (a *action) String() string { return strings.Join(a.args, " ") + " " + a.fault }

// came is the fault that really came: a call may never be made, and a signal may
// come too late.
func (a *action) came() string {
	for _, rule := range a.rules {
		if _, err := os.Stat(rule.Mark); err != nil {
			return "untouched"
		}
	}
	if a.kill != 0 && !slices.Contains([]int{130, 143, -1}, a.result.code) {
		return "untouched"
	}
	return a.fault
}

func TestChaos(t *testing.T) {
	t.Parallel()
	t.Logf("seed %d: repeat with -chaos.seed=%d", *chaosSeed, *chaosSeed)
	end := &chaosEnd{begun: time.Now()}
	for world := range *chaosWorlds {
		t.Run(fmt.Sprintf("world %d", world), func(t *testing.T) {
			t.Parallel()
			c := &chaos{
				user: newUser(t), random: rand.New(rand.NewPCG(*chaosSeed, uint64(world))),
				sources: map[string]string{}, done: map[string]string{}, faults: map[string]int{},
			}
			c.setUp()
			round := 0
			for ; end.another(); round++ {
				if !c.round(round) {
					t.Fatalf("round %d of world %d of seed %d", round, world, *chaosSeed)
				}
			}
			c.tearDown()
			t.Logf("%d rounds in %s, faults %v", round, time.Since(end.begun).Round(time.Second), c.faults)
			for _, fault := range []string{"failing call", "slow call", "signal", "signal at a call", "lost tag"} {
				if round >= 200 && c.faults[fault] < round/100 {
					t.Errorf("of %d rounds only %d had a %s", round, c.faults[fault], fault)
				}
			}
		})
	}
}

// chaosEnd tells the worlds when to stop.
type chaosEnd struct {
	begun  time.Time
	rounds atomic.Int64
}

func (e *chaosEnd) another() bool {
	round := int(e.rounds.Add(1))
	if round > 1 && round%100 == 1 {
		fmt.Fprintf(os.Stderr, "chaos: %d rounds in %s\n", round-1, time.Since(e.begun).Round(time.Second))
	}
	if *chaosRounds > 0 {
		return round <= *chaosRounds
	}
	return time.Since(e.begun) < *chaosFor
}

func (c *chaos) setUp() {
	c.t.Helper()
	c.nodes = askNodes(c.t)
	for i := range 3 {
		c.variants = append(c.variants, c.image(c.variant(i)))
		c.consumers = append(c.consumers, fmt.Sprintf("%s-c%d", c.namespace, i))
	}
	c.image("localhost/" + c.namespace + "-foreign:keep")
	c.apply("{apiVersion: v1, kind: ConfigMap, metadata: {name: e2eimage-foreign}, data: {theirs: kept}}")
	for _, name := range []string{"api", "db"} {
		c.load(name, 0)
		for i := range c.consumers {
			manifest := workload("Deployment", fmt.Sprintf("%s-%d", name, i), "localhost/none:none", i%2)
			manifest = strings.Replace(manifest, "terminationGracePeriodSeconds", "hostname: theirs\n      terminationGracePeriodSeconds", 1)
			// Ready as soon as it runs: rounds count, not waiting.
			c.apply(readinessProbe.ReplaceAllString(manifest, ""))
		}
	}
}

var readinessProbe = regexp.MustCompile(`(?m)^ *readinessProbe:.*\n`)

func (c *chaos) variant(i int) string { return fmt.Sprintf("localhost/%s-variant:%d", c.namespace, i) }

func (c *chaos) source(name string) string {
	return fmt.Sprintf("localhost/%s-%s:dev", c.namespace, name)
}

// load gives a name's source other content on all nodes.
func (c *chaos) load(name string, variant int) {
	for node, asked := range c.nodes {
		if err := asked.tag(c.t.Context(), c.variant(variant), c.source(name)); err != nil {
			c.t.Fatalf("node %s: %v", node, err)
		}
		waitFor(c.t, "the CRI has the source's new content", func() bool {
			says, err := asked.says(c.t.Context())
			return err == nil && says.images[c.source(name)] == c.variants[variant]
		})
	}
	c.sources[name] = c.variants[variant]
}

func (c *chaos) pick(from ...string) string { return from[c.random.IntN(len(from))] }

// draw makes a command and what goes wrong in it.
func (c *chaos) draw(round, number int) *action {
	i := c.random.IntN(len(c.consumers))
	a := &action{consumer: c.consumers[i], name: c.pick("api", "db")}
	switch dice := c.random.IntN(10); {
	case dice < 6:
		a.args = []string{"tag", a.name, "--source", c.source(a.name)}
		if c.random.IntN(4) == 0 {
			a.args = append(a.args, "--new")
		}
	case dice < 8:
		a.args = []string{"deploy", a.name, "--workload", fmt.Sprintf("deployment/%s-%d", a.name, i), "--timeout", "60s", "-o", "json"}
	default:
		a.args = []string{"clean", a.name}
		if c.random.IntN(2) == 0 {
			a.args = append(a.args, "--force")
		}
	}
	a.args = append(a.args, "--consumer", a.consumer, "--namespace", c.namespace)
	signal := []syscall.Signal{syscall.SIGINT, syscall.SIGTERM, syscall.SIGKILL}[c.random.IntN(3)]
	switch dice := c.random.IntN(10); {
	case dice < 6:
		a.fault = "untouched"
	case dice < 8:
		a.fault, a.kill, a.killAfter = "signal", signal, time.Duration(c.random.IntN(700))*time.Millisecond
	default:
		rule := faults.Rule{
			Call: c.pick("Images/Create", "Images/Create", "Images/Delete", "Images/Get", "ImageService/ImageStatus", "ImageService/ListImages", faults.Connect),
			Node: c.pick(suite.nodes...), After: c.random.IntN(2) == 0, Once: true,
			Mark: filepath.Join(c.dir, fmt.Sprintf("mark-%d-%d", round, number)),
		}
		switch c.random.IntN(3) {
		case 0:
			a.fault, rule.Fail = "failing call", "injected failure"
		case 1:
			a.fault, rule.Hold = "slow call", time.Duration(c.random.IntN(400))*time.Millisecond
		case 2:
			a.fault, rule.Signal = "signal at a call", signal
		}
		if rule.Call == faults.Connect {
			rule.After = false
		}
		a.rules = append(a.rules, rule)
	}
	return a
}

// round runs some commands at once and checks what must hold.
func (c *chaos) round(number int) bool {
	switch c.random.IntN(6) {
	case 0:
		c.load(c.pick("api", "db"), c.random.IntN(len(c.variants)))
	case 1:
		c.damage()
	}
	var actions []*action
	for i := range 1 + c.random.IntN(3) {
		actions = append(actions, c.draw(number, i))
	}
	busy := filepath.Join(c.dir, "busy")
	var all sync.WaitGroup
	for _, a := range actions {
		all.Go(func() { c.carryOut(a, busy) })
	}
	all.Wait()
	idle, err := faults.Idle(busy, 30*time.Second)
	if err != nil || !idle {
		c.t.Errorf("something still goes on in a node: %v", err)
	}
	c.note(actions)
	c.check()
	if c.t.Failed() {
		for _, a := range actions {
			c.t.Logf("%s: exit %d after %s\n%s%s", a, a.result.code, a.result.took.Round(time.Millisecond), a.result.stdout, a.result.stderr)
		}
	}
	return !c.t.Failed()
}

func (c *chaos) carryOut(a *action, busy string) {
	command := exec.CommandContext(c.t.Context(), filepath.Join(suite.bin, "kubectl-e2eimage"), a.args...)
	command.Dir, command.Env = c.dir, slices.Clone(c.env)
	if len(a.rules) > 0 {
		real, err := exec.LookPath(suite.provider)
		if err != nil {
			c.t.Error(err)
			return
		}
		variables, err := faults.Variables(real, a.rules...)
		if err != nil {
			c.t.Error(err)
			return
		}
		command.Env = append(command.Env, "PATH="+suite.faulty+":"+suite.bin+":"+os.Getenv("PATH"), faults.BusyVariable+"="+busy)
		command.Env = append(command.Env, variables...)
	}
	a.result = c.finish(command, func(process *os.Process) {
		if a.kill != 0 {
			time.AfterFunc(a.killAfter, func() { _ = process.Signal(a.kill) })
		}
	})
}

// damage takes a recorded image from a node, which the next tag or deploy mends;
// here at once, so that the check knows what to want.
func (c *chaos) damage() {
	// All is drawn before anything is done: what comes after is the same, however
	// this ends.
	consumer, name, node := c.pick(c.consumers...), c.pick("api", "db"), c.pick(suite.nodes...)
	image := c.e2eimage("ref", name, "--consumer", consumer)
	if image.code != 0 {
		return
	}
	c.faults["lost tag"]++
	tag := strings.TrimSpace(image.stdout)
	onNode(c.t, node, "ctr", "-n", "k8s.io", "images", "rm", "--sync", tag)
	// Another consumer may have loaded newer content under the shared name since then.
	result := c.e2eimage("deploy", name, "--allow-stale", "--consumer", consumer, "--workload", fmt.Sprintf("deployment/%s-%d", name, slices.Index(c.consumers, consumer)))
	if result.code != 0 {
		c.t.Errorf("%s was not healed: exit %d: %s", tag, result.code, result.stderr)
	}
	delete(c.done, fmt.Sprintf("%s-%d", name, slices.Index(c.consumers, consumer)))
}

// note remembers which Deployments are said to run what. Of several commands that
// touch one, none tells which came last.
func (c *chaos) note(actions []*action) {
	touched := map[string]int{}
	for _, a := range actions {
		touched[a.consumer+" "+a.name]++
	}
	for _, a := range actions {
		if a.args[0] != "deploy" {
			continue
		}
		deployment := fmt.Sprintf("%s-%d", a.name, slices.Index(c.consumers, a.consumer))
		delete(c.done, deployment)
		if a.result.code != 0 || touched[a.consumer+" "+a.name] > 1 {
			continue
		}
		var said struct{ Proved []struct{ ImageID string } }
		if err := json.Unmarshal([]byte(a.result.stdout), &said); err != nil {
			c.t.Errorf("%s printed %q: %v", a, a.result.stdout, err)
		}
		for _, proved := range said.Proved {
			c.done[deployment] = proved.ImageID
		}
	}
	for _, a := range actions {
		c.faults[a.came()]++
		if !slices.Contains([]int{0, 1, 3, 130, 143, -1}, a.result.code) || strings.Contains(a.result.stderr, "goroutine ") {
			c.t.Errorf("%s: exit %d: %s", a, a.result.code, a.result.stderr)
		}
		if a.fault == "untouched" && a.result.code == 1 && !strings.Contains(a.result.stderr, "no record of") {
			c.t.Errorf("%s failed although nothing went wrong: %s", a, a.result.stderr)
		}
	}
}

// tearDown cleans everything, after which nothing may be left.
func (c *chaos) tearDown() {
	for _, consumer := range c.consumers {
		for _, name := range []string{"api", "db"} {
			if result := c.e2eimage("clean", name, "--force", "--consumer", consumer); result.code != 0 && !strings.Contains(result.stderr, "no record") {
				c.t.Errorf("clean %s of %s: exit %d: %s", name, consumer, result.code, result.stderr)
			}
		}
	}
	for node, owned := range onNodes(c.t, "ctr", "-n", "k8s.io", "images", "ls", "-q", `labels."e2eimage.dev/owner"`) {
		if strings.Contains(owned, c.namespace) {
			c.t.Errorf("left on node %s: %s", node, owned)
		}
	}
	if got := c.kubectl("get", "configmaps", "-l", "e2eimage.dev/consumer", "-o", "name"); got != "" {
		c.t.Errorf("left: %s", got)
	}
}
