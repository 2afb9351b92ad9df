package cli

import (
	"encoding/json"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/internal/version"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func TestResultsAreReadByTemplatesAndNames(t *testing.T) {
	t.Parallel()
	tests := map[string]struct{ output, want string }{
		"names":            {"name", "gateway\ndatastorage\n"},
		"jsonpath":         {"jsonpath={.images[*].image}", "localhost/gateway:suite-2 localhost/datastorage:suite-1"},
		"jsonpath as JSON": {"jsonpath-as-json={.kind}", "[\n    \"TagResult\"\n]\n"},
		"go-template":      {`go-template={{.apiVersion}}{{range .images}}{{"\n"}}{{.name}}{{end}}`, "e2eimage.dev/v1alpha1\ngateway\ndatastorage"},
		"a missing field":  {"jsonpath={.nosuch}", ""},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.tagged = taggedTwo()
			if code := c.runArgs(t.Context(), "tag", "gateway", "datastorage", "-o", test.output); code != exitDone || c.out.String() != test.want {
				t.Errorf("exit %d, %q, want %q\n%s", code, c.out.String(), test.want, c.errOut.String())
			}
		})
	}
}

func TestTemplatesMayBeInFiles(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.write("x.tmpl", `{{.kind}}`)
	c.library.read = recordedTwo()
	c.done("ref -n x datastorage -o go-template-file=" + c.dir + "/x.tmpl")
	if c.out.String() != "RefResult" {
		t.Errorf("%q", c.out.String())
	}
}

func TestTemplatesThatCannotBeReadAreUsageErrors(t *testing.T) {
	t.Parallel()
	for output, says := range map[string]string{
		"jsonpath={.x":         "unclosed action",
		"go-template={{":       "unclosed action",
		"jsonpath":             "must be one of",
		"jsonpath=":            "no template given",
		"jsonpath-file=nosuch": "nosuch",
		"custom-columns=A:.a":  "must be one of",
	} {
		t.Run(output, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.tagged = taggedTwo()
			code := c.runArgs(t.Context(), "tag", "a", "-o", output)
			if code != exitUsage || !strings.Contains(c.errOut.String(), says) || len(c.library.tag) > 0 {
				t.Errorf("exit %d, %d calls: %s", code, len(c.library.tag), c.errOut.String())
			}
		})
	}
}

func TestNamesThatSuitesShareAreSaidOnce(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	c.library.stated = statedThree()
	c.library.stated.Images = append(c.library.stated.Images, c.library.stated.Images...)
	c.done("status -o name")
	if got := c.out.String(); got != "datastorage\ngateway\nnone\n" {
		t.Errorf("%q", got)
	}
}

// printedTypes are what each kind is made of.
func printedTypes() map[string]reflect.Type {
	types := map[string]reflect.Type{
		"Version": reflect.TypeFor[clientVersion](), kindOf(new(e2eimage.Images)): reflect.TypeFor[e2eimage.Images](),
	}
	for _, result := range []any{
		e2eimage.BuildResult{},
		e2eimage.CleanResult{},
		e2eimage.DeployResult{},
		e2eimage.LoadResult{},
		e2eimage.StatusResult{},
		e2eimage.TagResult{},
		e2eimage.UpResult{},
	} {
		types[reflect.TypeOf(result).Name()] = reflect.TypeOf(result)
	}
	return types
}

// documentedPackages have the types whose fields are ours, and not Kubernetes'.
func documentedPackages() []string {
	return []string{
		reflect.TypeFor[e2eimage.Ref]().PkgPath(), reflect.TypeFor[clientVersion]().PkgPath(), reflect.TypeFor[version.Info]().PkgPath(),
	}
}

// documentedFields are the rows of each section of docs/reference-json.md.
func documentedFields(t *testing.T) map[string][]string {
	t.Helper()
	text, err := os.ReadFile("../../docs/reference-json.md")
	if err != nil {
		t.Fatal(err)
	}
	fields := map[string][]string{}
	for _, section := range regexp.MustCompile(`(?m)^#+ `).Split(string(text), -1) {
		title, body, _ := strings.Cut(section, "\n")
		fields[title] = []string{}
		for _, row := range regexp.MustCompile("(?m)^\\| `([^`]+)` \\|").FindAllStringSubmatch(body, -1) {
			fields[title] = append(fields[title], row[1])
		}
	}
	return fields
}

func TestEachFieldOfResultsIsDocumented(t *testing.T) {
	t.Parallel()
	documented := documentedFields(t)
	seen := map[reflect.Type]bool{}
	var check func(title string, of reflect.Type)
	check = func(title string, of reflect.Type) {
		for of.Kind() == reflect.Pointer || of.Kind() == reflect.Slice {
			of, title = of.Elem(), of.Elem().Name()
		}
		if of.Kind() != reflect.Struct || !slices.Contains(documentedPackages(), of.PkgPath()) || seen[of] {
			return
		}
		seen[of] = true
		var want []string
		for i := range of.NumField() {
			name, _, _ := strings.Cut(of.Field(i).Tag.Get("json"), ",")
			if name != "" && name != "-" {
				want = append(want, name)
			}
		}
		if !slices.Equal(documented[title], want) {
			t.Errorf("docs/reference-json.md has for %s\n%q, want\n%q", title, documented[title], want)
		}
		for i := range of.NumField() {
			if of.Field(i).IsExported() {
				check(of.Field(i).Type.Name(), of.Field(i).Type)
			}
		}
	}
	for kind, of := range printedTypes() {
		check(kind, of)
	}
}

func TestEachObjectSaysWhatItIs(t *testing.T) {
	t.Parallel()
	for line, kind := range map[string]string{
		"tag a": "TagResult", "load a --source x": "LoadResult", "build a": "BuildResult", "up a": "UpResult", "deploy a": "DeployResult", "clean a": "CleanResult",
		"ref a": "RefResult", "status": "StatusResult", "verify": "StatusResult", "version": "Version",
	} {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library = evilLibrary()
			c.done(line + " -o json")
			var got struct{ APIVersion, Kind string }
			if err := json.Unmarshal(c.out.Bytes(), &got); err != nil || got.APIVersion != objectVersion || got.Kind != kind {
				t.Errorf("%+v, %v", got, err)
			}
		})
	}
}
