package e2e

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/internal/newesttest"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/scratchimage"
)

var (
	newestSequences = flag.Int("newest.sequences", 3, "how many sequences TestPodsRunWhatIsNewest has")
	newestSeed      = flag.Uint64("newest.seed", uint64(time.Now().UnixNano()), "seed of its first sequence; the same seed draws the same")
)

// Whenever deploy, up or verify ends well, the pods run the newest content that any step
// of the suite has built, or it was said that this could not be known.
func TestPodsRunWhatIsNewest(t *testing.T) {
	t.Parallel()
	for seed, left := *newestSeed, *newestSequences; left > 0; seed++ {
		s := newesttest.Draw(seed)
		if s.Origin == newesttest.ByCommand || s.Origin == newesttest.ByPrebuilt {
			continue
		}
		left--
		t.Run(fmt.Sprint("seed ", seed), func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, s.Traits)
			defer func() { t.Logf("%d of %d steps ended well and say what runs", w.judged, len(s.Steps)) }()
			for i, one := range s.Steps {
				if found := w.play(one); found != "" {
					t.Fatalf("-newest.seed=%d: at step %d of\n%s%s", seed, i+1, s, found)
				}
			}
		})
	}
}

// world is a user with suites.
type world struct {
	*user
	newesttest.Traits
	suites []*suiteOf
	known  *newesttest.Model
	// judged counts the steps that were held against the model.
	judged int
}

// suiteOf is one consumer with its folder. Without a lock it has no config either.
type suiteOf struct {
	number                                    int
	consumer, source, dir, tree, archive, app string
	deployed                                  bool
}

func newWorld(t *testing.T, of newesttest.Traits) *world {
	t.Helper()
	w := &world{user: newUser(t), Traits: of, known: newesttest.NewModel(of.Suites)}
	w.wipeHost()
	for i := range of.Suites {
		w.add(i)
	}
	return w
}

func (w *world) add(i int) {
	w.t.Helper()
	letter := string(rune('a' + i))
	s := &suiteOf{number: i, consumer: w.namespace + "-" + letter, app: "datastorage-" + letter, source: "localhost/" + w.namespace + "-" + letter + ":dev"}
	if !w.OneFolder {
		s.dir = letter
	}
	s.tree, s.archive = filepath.Join(s.dir, "code-"+letter), filepath.Join(w.dir, letter+".tar")
	if w.OneTree {
		s.tree = "code"
	}
	if w.Shared {
		s.source, s.archive = w.source(), filepath.Join(w.dir, "shared.tar")
	}
	w.suites = append(w.suites, s)
	w.code(s.tree)
	w.edit(s, 0)
	config := configHead + "consumer: " + s.consumer + "\nengine: " + suite.provider + "\n"
	if w.Grouped {
		config += "tagGroup: chart\n"
	}
	config += "images:\n- name: datastorage\n  source: '" + w.named(s) + "'\n  deploy: {workloads: [deployment/" + s.app + "]}\n"
	if w.Origin == newesttest.ByBuild {
		config += "  build: {context: " + filepath.Join(w.dir, s.tree) + "}\n"
	}
	w.write(s.config(), config)
	w.apply(workload("Deployment", s.app, "localhost/none:none", 1))
	w.t.Cleanup(func() {
		// The test's own context has ended.
		cleaning := *w.user
		cleaning.try(context.WithoutCancel(w.t.Context()), "kubectl-e2eimage", "clean", "datastorage", "--force", "--namespace", w.namespace, "--consumer", s.consumer)
		for _, node := range suite.nodes {
			argv := inNode(node, "ctr", "-n", "k8s.io", "images", "rm", s.source)
			_ = exec.Command(argv[0], argv[1:]...).Run()
		}
	})
}

// config is the suite's file, below the user's folder.
func (s *suiteOf) config() string { return filepath.Join(s.dir, s.app+".yaml") }

// named is the source as the suite writes it.
func (w *world) named(s *suiteOf) string {
	if w.Origin == newesttest.ByArchive {
		return "docker-archive:" + s.archive
	}
	return s.source
}

// under is what the model knows the source by.
func (w *world) under(s *suiteOf) string {
	if w.Origin == newesttest.ByArchive {
		return s.archive
	}
	return s.source
}

func (w *world) edit(s *suiteOf, number int) {
	w.t.Helper()
	of := s.consumer
	if w.OneTree {
		of = w.namespace
	}
	w.write(filepath.Join(s.tree, "build"), fmt.Sprintf("v%d of %s", number, of))
}

// content is what the suite's tree would build.
func (w *world) content(s *suiteOf) string {
	w.t.Helper()
	text, err := os.ReadFile(filepath.Join(w.dir, s.tree, "build"))
	if err != nil {
		w.t.Fatal(err)
	}
	return string(text)
}

// host is a command of the engine, or whatever else is done past the plugin.
func (w *world) host(argv ...string) bool {
	command := exec.CommandContext(w.t.Context(), argv[0], argv[1:]...)
	command.Dir = w.dir
	return command.Run() == nil
}

// hosts tells whether the engine has the suite's source.
func (w *world) hosts(s *suiteOf) bool { return w.host(suite.provider, "image", "inspect", s.source) }

// play does a step and returns what must not be, "" for nothing.
func (w *world) play(one newesttest.Step) string {
	w.t.Helper()
	s := w.suites[one.Suite]
	result, ran := w.carryOut(one, s)
	if !ran {
		return ""
	}
	if strings.Contains(result.stderr, "goroutine ") {
		return fmt.Sprintf("%s: exit %d: %s", one, result.code, result.stderr)
	}
	switch one.Do {
	case newesttest.Deploys, newesttest.DeploysCluster, newesttest.DeploysElsewhere, newesttest.Ups, newesttest.UpsOnly:
		s.deployed = s.deployed || result.code == 0
	case newesttest.Verifies, newesttest.VerifiesElsewhere:
	default:
		return ""
	}
	if result.code != 0 || !s.deployed || newesttest.Told(result.stderr) {
		return ""
	}
	w.judged++
	right, runs := w.known.Right(one.Suite, w.under(s), s.source), w.answers(s.app)
	if len(runs) == 1 && slices.Contains(right, runs[0]) {
		return ""
	}
	return fmt.Sprintf("it ended well, and the pods run %q, but the newest is %q\n%s", runs, right, result.stderr)
}

// carryOut does a step and notes what it made. ran tells whether the plugin did it.
func (w *world) carryOut(one newesttest.Step, s *suiteOf) (result outcome, ran bool) {
	w.t.Helper()
	switch one.Do {
	case newesttest.Edits:
		w.edit(s, one.Number)
		return result, false
	case newesttest.BuildsPast:
		w.buildPast(s)
		return result, false
	case newesttest.Imports:
		w.importPast(s)
		return result, false
	case newesttest.LosesLock:
		w.known.Lost(one.Suite)
		_ = os.Remove(filepath.Join(w.dir, s.dir, ".e2eimage", s.consumer+".lock.yaml"))
		return result, false
	}
	before := w.builtAt(s)
	result = w.e2eimage(w.args(one, s)...)
	switch one.Do {
	case newesttest.Builds, newesttest.BuildsExactly, newesttest.Ups:
		switch {
		case w.Origin == newesttest.ByBuild && (w.builtAt(s) != before || result.code == 0):
			// What was not built again would have been the same. Where the suite does not
			// build, up notes in the lock what it loads.
			w.known.Built(one.Suite, w.underIfNamed(s), w.content(s))
		case result.code == 0:
			w.known.Loaded(one.Suite, w.known.OnHost(w.under(s)), w.under(s), s.source, false)
		}
	case newesttest.Loads, newesttest.LoadsAndLeaves, newesttest.UpsOnly:
		if result.code == 0 {
			w.known.Loaded(one.Suite, w.known.OnHost(w.under(s)), w.under(s), s.source, false)
		}
		if one.Do == newesttest.LoadsAndLeaves && !w.hosts(s) {
			w.known.Released(s.source)
		}
	case newesttest.DeploysCluster:
		if result.code != 0 {
			break
		}
		// What is recorded is right, the user says, and that runs.
		if now := w.answers(s.app); len(now) == 1 && now[0] != w.known.Own(one.Suite) {
			w.known.Decided(one.Suite, now[0])
		}
	}
	return result, true
}

// builtAt changes whenever the suite's lock gets another build.
func (w *world) builtAt(s *suiteOf) string {
	text, _ := os.ReadFile(filepath.Join(w.dir, s.dir, ".e2eimage", s.consumer+".lock.yaml"))
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(line, "    engineID:") {
			return line
		}
	}
	return ""
}

// underIfNamed is the source where it stands for what the suite's lock has, else "".
func (w *world) underIfNamed(s *suiteOf) string {
	out, err := exec.CommandContext(w.t.Context(), suite.provider, "image", "inspect", "--format", "{{.Id}}", s.source).Output()
	if id := strings.TrimSpace(string(out)); err == nil && id != "" && strings.Contains(w.builtAt(s), id) {
		return s.source
	}
	return ""
}

// args are the plugin's for a step. A suite without a lock has no config: flags say all.
func (w *world) args(one newesttest.Step, s *suiteOf) []string {
	words := strings.Fields(strings.ReplaceAll(string(one.Do), "v1", "v1-"+w.namespace))
	verb, flags := words[0], words[1:]
	switch one.Do {
	case newesttest.TagsElsewhere, newesttest.DeploysElsewhere, newesttest.VerifiesElsewhere:
		flags = nil
	default:
		if w.Locked {
			return append([]string{verb, "--config", s.config()}, flags...)
		}
		if verb == "load" || verb == "tag" || verb == "up" {
			flags = append(flags, "--source", w.named(s))
		}
	}
	args := append([]string{verb, "datastorage", "--consumer", s.consumer}, flags...)
	if verb == "deploy" || verb == "up" {
		args = append(args, "--workload", "deployment/"+s.app)
	}
	return args
}

// buildPast is the engine's own build, or whatever else replaces the source.
func (w *world) buildPast(s *suiteOf) {
	w.t.Helper()
	switch w.Origin {
	case newesttest.ByArchive:
		if err := scratchimage.WriteArchive(s.archive, w.service(s.source, text("/build", w.content(s)))); err != nil {
			w.t.Fatal(err)
		}
	case newesttest.ByNodes:
		w.importPast(s)
		return
	default:
		w.build(s)
	}
	w.known.BuiltPast(w.under(s), w.content(s))
}

// build builds with the engine.
func (w *world) build(s *suiteOf) {
	w.t.Helper()
	buildOnHost(w.t, s.source, filepath.Join(w.dir, s.tree))
}

// importPast is `kind load` of what the engine has under the source's name, else of what
// was built elsewhere.
func (w *world) importPast(s *suiteOf) {
	w.t.Helper()
	archive := filepath.Join(tempDir(w.t), "image.tar")
	if w.hosts(s) {
		if !w.host(suite.provider, "save", "-o", archive, s.source) {
			w.t.Fatalf("%s is not saved", s.source)
		}
		w.known.Carried(s.source, s.source)
	} else {
		if err := scratchimage.WriteArchive(archive, w.service(s.source, text("/build", w.content(s)))); err != nil {
			w.t.Fatal(err)
		}
		w.known.Imported(s.source, w.content(s))
	}
	importArchive(w.t, archive)
}
