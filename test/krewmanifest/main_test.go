package main

import (
	"os"
	"strings"
	"testing"

	"sigs.k8s.io/yaml"
)

const templatePath = "../../plugins/krew.yaml"

var archives = []string{
	"kubectl-e2eimage_linux_amd64.tar.gz", "kubectl-e2eimage_linux_arm64.tar.gz",
	"kubectl-e2eimage_darwin_amd64.tar.gz", "kubectl-e2eimage_darwin_arm64.tar.gz",
	"kubectl-e2eimage_windows_amd64.zip", "kubectl-e2eimage_windows_arm64.zip",
}

type plugin struct {
	Metadata struct{ Name string }
	Spec     struct {
		Version   string
		Platforms []struct {
			Selector         struct{ MatchLabels map[string]string }
			URI, Sha256, Bin string
			Files            []struct{ From, To string }
		}
	}
}

func filled(t *testing.T, sums map[string]string) plugin {
	t.Helper()
	text, err := os.ReadFile(templatePath)
	if err != nil {
		t.Fatal(err)
	}
	manifest, err := filledIn(string(text), "v0.1.0", sums)
	if err != nil {
		t.Fatal(err)
	}
	var p plugin
	if err := yaml.Unmarshal([]byte(manifest), &p); err != nil {
		t.Fatalf("%v\n%s", err, manifest)
	}
	return p
}

func TestEveryArchiveIsInTheManifestWithItsSum(t *testing.T) {
	t.Parallel()
	text := ""
	for i, name := range archives {
		text += strings.Repeat(string(rune('a'+i)), 64) + "  " + name + "\n"
	}
	sums := checksums(text)
	p := filled(t, sums)
	if p.Metadata.Name != "e2eimage" || p.Spec.Version != "v0.1.0" || len(p.Spec.Platforms) != len(archives) {
		t.Fatalf("%+v", p)
	}
	for i, platform := range p.Spec.Platforms {
		labels, name := platform.Selector.MatchLabels, archives[i]
		if !strings.Contains(name, "_"+labels["os"]+"_"+labels["arch"]+".") {
			t.Errorf("%v has archive %s", labels, name)
		}
		if platform.URI != "https://github.com/e2eimage/kubectl-e2eimage/releases/download/v0.1.0/"+name || platform.Sha256 != sums[name] {
			t.Errorf("%s: %+v", name, platform)
		}
		if len(platform.Files) != 2 || platform.Files[0].From != platform.Bin || platform.Files[1].From != "LICENSE" {
			t.Errorf("%s: files %+v of %s", name, platform.Files, platform.Bin)
		}
		if strings.HasSuffix(platform.Bin, ".exe") != (labels["os"] == "windows") {
			t.Errorf("%s runs %s", name, platform.Bin)
		}
	}
}

func TestPlatformsThatWereNotBuiltAreLeftOut(t *testing.T) {
	t.Parallel()
	p := filled(t, map[string]string{archives[0]: strings.Repeat("a", 64), archives[5]: strings.Repeat("b", 64)})
	if len(p.Spec.Platforms) != 2 || p.Spec.Platforms[0].Bin != "kubectl-e2eimage" || p.Spec.Platforms[1].Bin != "kubectl-e2eimage.exe" {
		t.Errorf("%+v", p.Spec.Platforms)
	}
}

func TestATemplateThatCannotBeFilledInIsRefused(t *testing.T) {
	t.Parallel()
	sums := map[string]string{archives[0]: "a"}
	for name, text := range map[string]string{
		"no archive":       "platforms:\n  - selector: {}\n    {{addURIAndSha \"https://x/y.zip\" .TagName}}\n",
		"unknown field":    "{{ .Tag }}",
		"unknown function": "{{ sha }}",
		"in an address":    "{{addURIAndSha \"https://x/{{ .Tag }}\" .TagName}}",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, err := filledIn(text, "v0.1.0", sums); err == nil {
				t.Errorf("no error, but %s", got)
			}
		})
	}
}
