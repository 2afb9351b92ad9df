package config

import (
	"os"
	"reflect"
	"regexp"
	"strings"
	"testing"
)

func readReference(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("../../docs/config.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestTheExamplesOfTheReferenceAreGood(t *testing.T) {
	t.Parallel()
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllStringSubmatch(readReference(t), -1)
	if len(blocks) < 3 {
		t.Fatalf("only %d examples found", len(blocks))
	}
	for _, block := range blocks {
		suite, err := Resolve(Flags{Names: []string{"datastorage"}, KindCluster: "workflowexecution-e2e"},
			variables{"ARTIFACTS": "out", "GOFLAGS": ""}.lookup, workplace(t, block[1]))
		if err == nil {
			err = suite.Need(FieldSource, FieldRepository, FieldPrebuilt)
		}
		if err != nil {
			t.Errorf("%v in\n%s", err, block[1])
		}
	}
}

func TestTheReferenceHasEveryFieldVariableAndDefault(t *testing.T) {
	t.Parallel()
	text := readReference(t)
	for _, row := range Variables() {
		if want := "| `" + row[0] + "` | " + row[1] + " |"; !strings.Contains(strings.ReplaceAll(text, "`", ""), strings.ReplaceAll(want, "`", "")) {
			t.Errorf("lacks %s", want)
		}
	}
	for _, field := range helmFields() {
		if !strings.Contains(text, "`."+field+"`") {
			t.Errorf("lacks .%s", field)
		}
	}
	types := []reflect.Type{
		reflect.TypeFor[file](), reflect.TypeFor[fileSuite](), reflect.TypeFor[Image](), reflect.TypeFor[Build](), reflect.TypeFor[Deploy](),
	}
	_, everything, _ := strings.Cut(text, "Everything:")
	example, _, _ := strings.Cut(everything, "\n```\n")
	for _, one := range types {
		for _, f := range reflect.VisibleFields(one) {
			if name := f.Tag.Get("yaml"); name != "" && !strings.Contains(example, name+":") {
				t.Errorf("the example of everything lacks %s", name)
			}
		}
	}
	for _, value := range []string{"`120s`", "`3`", "`localhost/NAME`", "4096", "128", "1 MiB"} {
		if !strings.Contains(text, value) {
			t.Errorf("lacks %s", value)
		}
	}
}
