package config

import (
	"regexp"
	"slices"
	"strings"
	"testing"
)

func known() TemplateValues {
	return TemplateValues{
		Consumer: "suite", Name: "storage", Random: "0a1b2c3d", User: "me", GitCommit: "0123456789", GitShort: "0123", Unix: 1700000000, Arch: "amd64",
		Environment: variables{"BUILD": "7", "EMPTY": "", "LONG": strings.Repeat("x", 200), "BAD": "$(id)\n"}.lookup,
	}
}

func TestTagsAreDrawnFromTemplates(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		DefaultTagTemplate: "suite-0a1b2c3d",
		"{{.Name}}-{{.User}}-{{.GitShort}}-{{.Unix}}":                         "storage-me-0123-1700000000",
		`{{.GitCommit}}.{{.Arch}}_{{env "BUILD"}}`:                            "0123456789.amd64_7",
		`{{"BUILD" | env}}`:                                                   "7",
		`{{if eq .Arch "arm64"}}arm{{else if env "EMPTY"}}x{{else}}pc{{end}}`: "pc",
		"fixed":                  "fixed",
		strings.Repeat("x", 128): strings.Repeat("x", 128),
	} {
		if got, err := DrawTag(text, known()); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestTagsThatCannotBeAreRefusedAndQuoted(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"":                                   `yields "": a tag has letters`,
		"{{.Consumer":                        "unclosed action",
		"{{.Nope}}":                          `uses .Nope, which is not known here; did you mean "Name"?; known are .Consumer, .Name,`,
		"{{.Image}}":                         "uses .Image, which is not known here",
		`{{env "NONE"}}`:                     `the environment variable "NONE" is not set`,
		`{{env "N\nE"}}`:                     `the environment variable "N\nE" is not set`,
		`{{env "BAD"}}`:                      `yields "$(id)\n": a tag has letters`,
		`{{env "LONG"}}`:                     "has 200 characters; a tag has at most 128",
		"$(id)":                              `"$(id)"`,
		"it's":                               `"it's"`,
		"a\nb":                               `"a\nb"`,
		"-x":                                 `"-x"`,
		"a:b":                                `"a:b"`,
		`{{env "X" "a" "b"}}`:                "env takes a variable and at most one default, not 2",
		strings.Repeat("x", 129):             "has 129 characters",
		strings.Repeat("{{.Random}}", 500):   "at most 4096 are possible",
		strings.Repeat(`{{env "LONG"}}`, 50): "it yields more than 4096 characters",
	} {
		if got, err := DrawTag(text, known()); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("%q: got %q, %v; want an error with %s", text, got, err, want)
		}
	}
}

func TestAFieldThatIsNotKnownIsNotLeftEmpty(t *testing.T) {
	t.Parallel()
	for field, want := range map[string]string{
		"GitCommit": "no Git repository", "GitShort": "no Git repository", "User": "who runs this", "Consumer": "--consumer",
		"Random": "not known here", "Unix": "not known here", "Arch": "not known here", "Name": "not known here",
	} {
		if got, err := DrawTag("x{{."+field+"}}", TemplateValues{}); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %q, %v; want an error with %s", field, got, err, want)
		}
	}
	if got, err := DrawTag("x.User", TemplateValues{}); err != nil || got != "x.User" {
		t.Errorf("text that only looks like a field: got %q, %v", got, err)
	}
}

func TestChartValuesKnowTheImage(t *testing.T) {
	t.Parallel()
	values := HelmValues{TemplateValues: known(), Image: "localhost/x:y", Repository: "localhost/x", Tag: "y", ImageID: "sha256:1"}
	got, err := HelmValue(`{{.Image}} {{.Repository}} {{.Tag}} {{.ImageID}} {{.Name}} {{env "BUILD"}}`, values)
	if want := "localhost/x:y localhost/x y sha256:1 storage 7"; err != nil || got != want {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := HelmValue("{{.GitCommit}}", HelmValues{}); err == nil {
		t.Error("an unknown commit: no error")
	}
}

func TestAVariableThatIsNotSetOrEmptyIsItsDefault(t *testing.T) {
	t.Parallel()
	values := TemplateValues{Environment: variables{"SET": "yes", "EMPTY": ""}.lookup}
	for text, want := range map[string]string{
		`{{env "SET" "no"}}`:                                       "yes",
		`{{env "EMPTY" "no"}}`:                                     "no",
		`{{env "NONE" "no"}}`:                                      "no",
		`a{{if env "NONE" ""}}-cover{{end}}`:                       "a",
		`a{{if eq (env "SET" "") "yes"}}-cover{{end}}`:             "a-cover",
		`{{if env "NONE" ""}}{{env "NONE"}}{{else}}without{{end}}`: "without",
	} {
		if got, err := DrawTag(text, values); err != nil || got != want {
			t.Errorf("%s: got %q, %v; want %q", text, got, err, want)
		}
	}
}

func TestBuildFlagsAreTemplates(t *testing.T) {
	t.Parallel()
	build := &Build{Flags: map[string][]string{
		"podman": {"--volume", `{{env "GOMODCACHE" "/go"}}:/go:ro`, "--label=suite={{.Consumer}}"}, "docker": {"{{.Nope}}"},
	}}
	got, err := build.RenderFlags("podman", TemplateValues{Consumer: "a"})
	if want := []string{"--volume", "/go:/go:ro", "--label=suite=a"}; err != nil || !slices.Equal(got, want) {
		t.Errorf("got %q, %v; want %q", got, err, want)
	}
	if _, err := build.RenderFlags("docker", TemplateValues{}); err == nil || !strings.Contains(err.Error(), "build flag docker[0]: ") {
		t.Errorf("it says %v", err)
	}
}

func TestBuildArgumentsSayEverythingTheyLack(t *testing.T) {
	t.Parallel()
	build := &Build{Args: map[string]string{"B": `{{env "NONE"}}`, "A": "{{.Consumer}}", "C": "c"}}
	_, err := build.RenderArgs(TemplateValues{})
	const want = `build argument A: template "{{.Consumer}}" uses .Consumer, which is not known here: say it with --consumer or in e2eimage.yaml
build argument B: template "{{env \"NONE\"}}": the environment variable "NONE" is not set; set it, or give a default: {{env "NONE" "DEFAULT"}}`
	if err == nil || err.Error() != want {
		t.Errorf("got\n%v\nwant\n%s", err, want)
	}
}

func TestRandomsDiffer(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for range 100 {
		random, err := NewRandom()
		if err != nil || seen[random] || !regexp.MustCompile(`^[0-9a-f]{8}$`).MatchString(random) {
			t.Fatalf("got %q, %v after %d others", random, err, len(seen))
		}
		seen[random] = true
	}
}
