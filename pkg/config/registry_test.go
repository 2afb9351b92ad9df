package config

import (
	"strings"
	"testing"
)

func TestARegistryIsAHostAndPerhapsAPath(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]string{
		"registry.example": "registry.example", "registry.example/team": "registry.example/team", "localhost:5001": "localhost:5001",
		"localhost/dev": "localhost/dev", "10.0.0.5:5000/a/b": "10.0.0.5:5000/a/b", "[::1]:5000/x": "[::1]:5000/x",
	} {
		if got, plain, err := ParseRegistry(text); err != nil || got != want || plain {
			t.Errorf("%s: %s, %v, %v", text, got, plain, err)
		}
		if got, plain, err := ParseRegistry("http://" + text); err != nil || got != want || !plain {
			t.Errorf("http://%s: %s, %v, %v", text, got, plain, err)
		}
	}
	for _, text := range []string{
		"", "https://registry.example", "ftp://registry.example", "registry.example/", "registry.example//x", "registry.example/Team",
		"registry.example/team:dev", "team/app", "registry", "registry.example:x", " ", "registry.example/te am", "http://", NoRegistry,
	} {
		if _, _, err := ParseRegistry(text); err == nil || !strings.Contains(err.Error(), "HOST[:PORT][/PATH]") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestWhereImagesGoIsSaidByImageThenFlagThenVariableThenFile(t *testing.T) {
	t.Parallel()
	const file = header + "registry: file.example\nimages: [{name: a}, {name: b, registry: image.example/b}, {name: c, registry: none}]\n"
	for name, test := range map[string]struct {
		flag, variable string
		want           []string
	}{
		"the file":     {"", "", []string{"file.example", "image.example/b", "none"}},
		"the variable": {"", "env.example", []string{"env.example", "image.example/b", "none"}},
		"the flag":     {"http://flag.example", "env.example", []string{"http://flag.example", "image.example/b", "none"}},
		"none by flag": {"none", "env.example", []string{"none", "image.example/b", "none"}},
	} {
		suite, _ := resolved(t, Flags{Registry: test.flag}, variables{"E2EIMAGE_REGISTRY": test.variable}, file)
		if suite.Registry != test.want[0] {
			t.Errorf("%s: the suite's is %s", name, suite.Registry)
		}
		for i, want := range test.want {
			if got := suite.Images[i].Registry; got != want {
				t.Errorf("%s: %s goes to %s, not %s", name, suite.Images[i].Name, got, want)
			}
		}
	}
}
