package cli

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// evil is what a log or a record may have in it.
const evil = "\u0085a\x7f\u2028\x1b[31mb\x1b]0;owned\x07c\u009b2Jd\re\u202ef\u200dg\U000e0041h\ti\nj\x00"

// filled has evil in each text, and one of each thing.
func filled[T any]() *T {
	result := new(T)
	fill(reflect.ValueOf(result).Elem())
	return result
}

func fill(value reflect.Value) {
	if when, ok := value.Addr().Interface().(*metav1.Time); ok {
		*when = metav1.NewTime(time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC))
		return
	}
	switch value.Kind() {
	case reflect.String:
		value.SetString(evil)
	case reflect.Pointer:
		value.Set(reflect.New(value.Type().Elem()))
		fill(value.Elem())
	case reflect.Struct:
		for i := range value.NumField() {
			if value.Type().Field(i).IsExported() {
				fill(value.Field(i))
			}
		}
	case reflect.Slice:
		value.Set(reflect.MakeSlice(value.Type(), 2, 2))
		fill(value.Index(0))
		fill(value.Index(1))
	}
}

func evilLibrary() library {
	return library{
		tagged: filled[e2eimage.TagResult](), read: filled[e2eimage.Images](), deployed: filled[e2eimage.DeployResult](),
		cleaned: filled[e2eimage.CleanResult](), loaded: filled[e2eimage.LoadResult](), built: filled[e2eimage.BuildResult](),
		upped: filled[e2eimage.UpResult](), stated: filled[e2eimage.StatusResult](),
	}
}

var evilVerbs = []string{"tag a", "ref a", "deploy a", "clean a", "load a --source x", "build a", "up a", "status", "verify"}

func TestNoVerbPrintsWhatActsOnATerminal(t *testing.T) {
	t.Parallel()
	for _, line := range append(evilVerbs, "status -o wide", "status -A", "status -o name", "up a -o jsonpath={.images}", "deploy a -o name", "clean a --dry-run", "ref a -o env", "ref a -o helm", "ref a -o kustomize") {
		for _, output := range []string{"", " -o json", " -o yaml"} {
			if strings.Contains(line, "-o") && output != "" {
				continue
			}
			t.Run(line+output, func(t *testing.T) {
				t.Parallel()
				c := newConsole(t)
				c.library = evilLibrary()
				if line == "ref a -o helm" {
					c.library.read.Images = c.library.read.Images[:1]
				}
				code := c.run(line + output)
				if !foreign.IsHarmless(c.out.String()) || !foreign.IsHarmless(c.errOut.String()) {
					t.Errorf("stdout %q\nstderr %q", c.out.String(), c.errOut.String())
				}
				// YAML and JSON, which Helm's is, can write all that as escapes.
				byTemplate := strings.HasSuffix(line, "-o name") && !strings.HasPrefix(line, "deploy") || strings.Contains(line, "jsonpath")
				exact := byTemplate || strings.HasPrefix(line, "ref") && output == "" && !strings.HasSuffix(line, "kustomize") && !strings.HasSuffix(line, "helm")
				if exact && (code != exitInconsistent || c.out.Len() > 0) || !exact && (code != exitDone || c.out.Len() == 0) {
					t.Errorf("exit code %d, stdout %q, stderr %q", code, c.out.String(), c.errOut.String())
				}
			})
		}
	}
}

func TestMachinesReadWhatIsThere(t *testing.T) {
	t.Parallel()
	for _, format := range []string{"json", "yaml"} {
		t.Run(format, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library = evilLibrary()
			c.done("status -o " + format)
			var got e2eimage.StatusResult
			decode := map[string]func([]byte, any) error{"json": json.Unmarshal, "yaml": func(text []byte, to any) error { return yaml.Unmarshal(text, to) }}[format]
			if err := decode(c.out.Bytes(), &got); err != nil {
				t.Fatalf("%v in\n%s", err, c.out.String())
			}
			if diff := cmp.Diff(evilLibrary().stated, &got, cmpopts.IgnoreUnexported(e2eimage.Problem{})); diff != "" {
				t.Errorf("(-there +read):\n%s", diff)
			}
		})
	}
}

func TestAColumnMakesNoRows(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	result := statedThree()
	result.Images[0].By = "me\nfaked  suite  localhost/faked:1"
	result.Images[0].Source = "x\ty"
	c.library.stated = result
	c.done("status -o wide")
	lines := strings.Split(c.out.String(), "\n")
	if len(lines) != 1+3+1 {
		t.Errorf("%d lines:\n%s", len(lines), c.out.String())
	}
}

func TestErrorsAreHarmless(t *testing.T) {
	t.Parallel()
	for _, line := range evilVerbs {
		t.Run(line, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.library.err = errors.New("the log says " + evil)
			c.run(line)
			if got := c.errOut.String(); !foreign.IsHarmless(got) || !strings.Contains(got, "the log says �a��bcd�e�fg�h") {
				t.Errorf("%q", got)
			}
		})
	}
}

func TestManifestsPassThroughAsTheyAre(t *testing.T) {
	t.Parallel()
	c := newConsole(t)
	const text = "a: می\u200cخواهم # \u202e\n"
	c.write("m.yaml", text)
	c.done("render a -f m.yaml")
	if c.out.String() != text {
		t.Errorf("%q", c.out.String())
	}
}
