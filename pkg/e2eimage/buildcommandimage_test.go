package e2eimage

import (
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// told gives a host whose image is built by a command that names it as it is told. What it
// builds is leaves.
func told(t *testing.T, leaves *string) *host {
	t.Helper()
	h := commands(t)
	h.names[imageID], h.names[otherID] = imageID, otherID
	h.image("app").Source = ""
	h.image("app").Build.Command = []string{"command", "docker-build", "IMG={{.Image}}", "{{.Repository}} {{.Tag}}"}
	h.command = func() { h.names[h.environment("E2EIMAGE_IMAGE")] = *leaves }
	return h
}

// environment is a variable of the command that ran last.
func (h *host) environment(key string) string {
	for _, variable := range h.ran.Env {
		if value, is := strings.CutPrefix(variable, key+"="); is {
			return value
		}
	}
	return ""
}

// recordable are the engine's names of the image app that no source has.
func (h *host) recordable() []string {
	return slices.DeleteFunc(sortedKeys(h.names), func(name string) bool {
		return !strings.HasPrefix(name, "localhost/app:") || name == "localhost/app:dev"
	})
}

func TestACommandIsToldTheDecidedImageAndItsImageIsTaken(t *testing.T) {
	t.Parallel()
	leaves := imageID
	h := told(t, &leaves)
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	entry := h.lock().Images["app"]
	tag := strings.TrimPrefix(entry.Image, "localhost/app:")
	want := []string{"command", "docker-build", "IMG=" + entry.Image, "localhost/app " + tag}
	if !slices.Equal(h.ran.Argv, want) {
		t.Errorf("it ran %q, want %q", h.ran.Argv, want)
	}
	for key, want := range map[string]string{
		"E2EIMAGE_NAME": "app", "E2EIMAGE_IMAGE": entry.Image, "E2EIMAGE_REPOSITORY": "localhost/app", "E2EIMAGE_TAG": tag,
	} {
		if got := h.environment(key); got != want {
			t.Errorf("%s is %q, want %q", key, got, want)
		}
	}
	if entry.EngineID != imageID || !slices.Equal(h.recordable(), []string{entry.Image}) {
		t.Errorf("the lock has %+v, the engine %v", entry, h.names)
	}
}

func TestACommandThatBuildsTheSameAgainLeavesOneName(t *testing.T) {
	t.Parallel()
	leaves := imageID
	h := told(t, &leaves)
	for range 2 {
		if _, err := h.build(); err != nil {
			t.Fatal(err)
		}
	}
	first := h.lock().Images["app"].Image
	if !slices.Equal(h.recordable(), []string{first}) || h.environment("E2EIMAGE_IMAGE") == first {
		t.Errorf("the lock has %s, the engine %v", first, h.names)
	}
	leaves = otherID
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	if second := h.lock().Images["app"]; second.EngineID != otherID || second.Image == first || h.names[second.Image] != otherID {
		t.Errorf("new content: the lock has %+v, the engine %v", second, h.names)
	}
}

func TestACommandThatFailsLeavesNamesAsTheyWere(t *testing.T) {
	t.Parallel()
	for name, tag := range map[string]string{"a name that is new": "", "a name that another image had": "v1"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			leaves := imageID
			h := told(t, &leaves)
			h.image("app").Tag = tag
			if tag != "" {
				if _, err := h.build(); err != nil {
					t.Fatal(err)
				}
			}
			before := h.recordable()
			leaves = otherID
			h.fails = []string{"podman tag " + otherID}
			_, err := h.build()
			says(t, err, "it was built, but could not be named localhost/app:")
			if got := h.recordable(); !slices.Equal(got, before) || tag != "" && h.names["localhost/app:v1"] != imageID {
				t.Errorf("the engine has %v, want %v", h.names, before)
			}
		})
	}
}

func TestACommandThatLeavesNoImageIsToldWhatToBuild(t *testing.T) {
	t.Parallel()
	leaves := imageID
	h := told(t, &leaves)
	h.command = func() {}
	_, err := h.build()
	says(t, err, "its build command succeeded, but left no image localhost/app:suite-", "E2EIMAGE_IMAGE", "source")
}

func TestTheDecidedNameGoesBeforeTheSources(t *testing.T) {
	t.Parallel()
	leaves := otherID
	h := told(t, &leaves)
	h.image("app").Source = "localhost/app:dev"
	h.names["localhost/app:dev"] = imageID // of some build before
	if _, err := h.build(); err != nil {
		t.Fatal(err)
	}
	if entry := h.lock().Images["app"]; entry.EngineID != otherID || h.names["localhost/app:dev"] != otherID {
		t.Errorf("the lock has %+v, the engine %v", entry, h.names)
	}
}

func TestADryRunShowsTheCommandWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	leaves := imageID
	h := told(t, &leaves)
	h.command = func() { t.Error("it ran") }
	h.image("app").Build.Command = []string{"command", "{{.Image}}", `{{env "PASS"}}`}
	values := config.TemplateValues{Environment: func(string) (string, bool) { return "correct horse", true }}
	if _, err := h.client().Build(t.Context(), BuildInput{Suite: h.suite, Values: values, DryRun: true}); err != nil {
		t.Fatal(err)
	}
	if want := `would run ["command" "localhost/app:suite-<random>" "***"] in `; !strings.Contains(h.said.String(), want) {
		t.Errorf("it says %s, want %s", h.said.String(), want)
	}
}
