package run

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

// action is action.yml, as far as running its scripts needs it.
type action struct {
	Inputs map[string]struct{ Default string }
	Runs   struct {
		Using string
		Steps []actionStep
	}
}

type actionStep struct {
	ID, Name, Run, Uses string
	Env                 map[string]string
}

func readAction(t *testing.T) action {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(root, "action.yml"))
	if err != nil {
		t.Fatal(err)
	}
	var a action
	if err := yaml.Unmarshal(text, &a); err != nil {
		t.Fatal(err)
	}
	if a.Runs.Using != "composite" || len(a.Runs.Steps) < 4 {
		t.Fatalf("action.yml is read as %+v", a)
	}
	return a
}

func TestInputsOfTheActionAreNoPartOfItsScripts(t *testing.T) {
	for _, step := range readAction(t).Runs.Steps {
		if strings.Contains(step.Run, "${{") {
			t.Errorf("%s: %s", step.Name, step.Run)
		}
		if step.Uses != "" && !regexp.MustCompile(`@[0-9a-f]{40}$`).MatchString(step.Uses) {
			t.Errorf("%s uses %s, which is not pinned", step.Name, step.Uses)
		}
	}
}

// job is a job of GitHub that uses the action.
type job struct {
	*place
	action  action
	inputs  map[string]string
	outcome string
	files   map[string]string
}

func newJob(t *testing.T, inputs map[string]string) *job {
	t.Helper()
	j := &job{place: newPlace(t), action: readAction(t), inputs: inputs, outcome: "success", files: map[string]string{}}
	repository, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	temp := filepath.Join(j.work, "runner")
	if err := os.Mkdir(temp, 0o755); err != nil {
		t.Fatal(err)
	}
	j.env = append(j.env, "GITHUB_ACTION_PATH="+repository, "RUNNER_TEMP="+temp)
	for _, name := range []string{"GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_PATH"} {
		j.files[name] = filepath.Join(temp, name)
		j.env = append(j.env, name+"="+j.files[name])
		if err := os.WriteFile(j.files[name], nil, 0o644); err != nil {
			t.Fatal(err)
		}
	}
	return j
}

// step runs the script of a step as GitHub's runner does, and returns what it prints.
func (j *job) step(name string, more ...string) string {
	j.t.Helper()
	at := slices.IndexFunc(j.action.Runs.Steps, func(s actionStep) bool { return s.Name == name })
	if at < 0 {
		j.t.Fatalf("there is no step %q", name)
	}
	step := j.action.Runs.Steps[at]
	command := exec.CommandContext(j.t.Context(), "bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", step.Run)
	command.Dir, command.Env = j.work, append(slices.Clone(j.env), more...)
	for variable, value := range step.Env {
		command.Env = append(command.Env, variable+"="+j.value(value))
	}
	if err := j.become(command); err != nil {
		j.t.Fatal(err)
	}
	out, err := command.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		j.t.Fatal(err)
	}
	if err != nil {
		j.outcome = "failure"
	}
	return string(out)
}

var expression = regexp.MustCompile(`\$\{\{ (inputs|steps|github)\.([a-z_.-]+)(?: \|\| env\.[A-Z0-9_]+)? \}\}`)

// value fills in what the runner would.
func (j *job) value(text string) string {
	return expression.ReplaceAllStringFunc(text, func(whole string) string {
		found := expression.FindStringSubmatch(whole)
		switch {
		case found[1] == "inputs":
			if said, ok := j.inputs[found[2]]; ok {
				return said
			}
			input, known := j.action.Inputs[found[2]]
			if !known {
				j.t.Errorf("there is no input %s", found[2])
			}
			return input.Default
		case found[2] == "run.outcome":
			return j.outcome
		}
		return ""
	})
}

func (j *job) read(file string) string {
	j.t.Helper()
	text, err := os.ReadFile(j.files[file])
	if err != nil {
		j.t.Fatal(err)
	}
	return string(text)
}

// TestTheActionDeploysWhatAnotherJobBuilt goes the way of examples/ci.
func TestTheActionDeploysWhatAnotherJobBuilt(t *testing.T) {
	j := newJob(t, map[string]string{
		"version": "none", "verbs": "build load tag deploy verify", "consumer": "workflowexecution", "kind-cluster": reader.cluster,
		"artifacts": "artifacts", "manifests": "deployment.yaml", "timeout": "90s", "diagnostics": "diagnostics",
	})
	j.inputs["namespace"] = j.namespace
	j.copyExample("ci")
	if err := os.Mkdir(filepath.Join(j.work, "artifacts"), 0o755); err != nil {
		t.Fatal(err)
	}
	j.shell(`export ENGINE=docker; mkdir -p bin && cp Dockerfile bin/ && cp "$SERVICE" bin/service
image=$(kubectl e2eimage build --consumer ci --engine docker --prebuilt=ignore)
docker save -o artifacts/datastorage.tar "$image"`)

	if out := j.step("Install kubectl e2eimage"); j.outcome != "success" {
		t.Fatal(out)
	}
	out := j.step("Run kubectl e2eimage")
	if j.outcome != "success" {
		t.Fatal(out)
	}
	image := regexp.MustCompile(`localhost/datastorage:workflowexecution-[0-9a-f]{8}`)
	said := j.read("GITHUB_OUTPUT")
	if !regexp.MustCompile(`(?s)^images<<(\S+)\n` + image.String() + `\n.*env-file=.*/e2eimage-env-\w+\n$`).MatchString(said) {
		t.Errorf("the outputs are %s", said)
	}
	if out := j.step("Say what was found"); strings.Contains(out, "::") {
		t.Errorf("findings where there are none: %s", out)
	}
	if summary := j.read("GITHUB_STEP_SUMMARY"); !strings.Contains(summary, "✅ Consistent") || !image.MatchString(summary) {
		t.Errorf("the summary is %s", summary)
	}

	// Somebody else changes what was deployed.
	j.shell(`kubectl set image deployment/datastorage datastorage=localhost/other:dev`)
	j.inputs["verbs"], j.inputs["timeout"] = "verify", "3s"
	if out := j.step("Run kubectl e2eimage"); j.outcome != "failure" || !strings.Contains(out, "::error title=kubectl e2eimage verify::error: ") {
		t.Errorf("%s: %s", j.outcome, out)
	}
	if out := j.step("Say what was found"); !strings.Contains(out, "::error title=datastorage%3A Drifted::") {
		t.Errorf("what drifted is not an error: %s", out)
	}
	if summary := j.read("GITHUB_STEP_SUMMARY"); !strings.Contains(summary, "❌ Drifted") || !strings.Contains(summary, "```sh\nkubectl e2eimage deploy") {
		t.Errorf("the summary is %s", summary)
	}
	j.step("Collect diagnostics")
	_, folder, _ := strings.Cut(j.read("GITHUB_OUTPUT"), "\nfolder=")
	for file, want := range map[string]string{"status.yaml": "Drifted", "pods.txt": "datastorage", "records.yaml": "e2eimage-workflowexecution"} {
		if text, err := os.ReadFile(filepath.Join(strings.TrimSpace(folder), file)); err != nil || !strings.Contains(string(text), want) {
			t.Errorf("%s: %v: %s", file, err, text)
		}
	}
}

func TestWhatIsNoVerbOrNameIsNotRun(t *testing.T) {
	for name, inputs := range map[string]map[string]string{
		"a verb that is a command": {"verbs": "tag; touch made"},
		"a verb that is not of it": {"verbs": "clean"},
		"a name that is an option": {"verbs": "tag", "names": "--config=x"},
		"a name that is a script":  {"verbs": "tag", "names": "$(touch made) `touch made`"},
		"a consumer that is one":   {"verbs": "tag", "consumer": "$(touch made)"},
		"manifests that are one":   {"verbs": "deploy", "manifests": "$(touch made)"},
	} {
		t.Run(name, func(t *testing.T) {
			inputs["version"], inputs["kind-cluster"] = "none", reader.cluster
			j := newJob(t, inputs)
			if out := j.step("Run kubectl e2eimage"); j.outcome != "failure" || !strings.Contains(out, "::error title=kubectl e2eimage") {
				t.Errorf("%s: %s", j.outcome, out)
			}
			if _, err := os.Stat(filepath.Join(j.work, "made")); err == nil {
				t.Error("it was run")
			}
		})
	}
}

func (j *job) copyExample(name string) {
	j.t.Helper()
	if err := os.CopyFS(j.work, os.DirFS(filepath.Join(root, "examples", name))); err != nil {
		j.t.Fatal(err)
	}
}

// shell runs what a job does itself.
func (j *job) shell(script string) {
	j.t.Helper()
	command := exec.CommandContext(j.t.Context(), "bash", "-eu", "-o", "pipefail", "-c", script)
	command.Dir, command.Env = j.work, j.env
	if err := j.become(command); err != nil {
		j.t.Fatal(err)
	}
	if out, err := command.CombinedOutput(); err != nil {
		j.t.Fatalf("%v: %s", err, out)
	}
}
