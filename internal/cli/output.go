package cli

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// objectVersion is the API version of what -o json and the like print.
const objectVersion = "e2eimage.dev/v1alpha1"

// Formats that every verb with a result has. Those with a template are kubectl's.
const (
	formatName = "name"
	formatJSON = "json"
	formatYAML = "yaml"
	// formatWide is a table with all columns.
	formatWide = "wide"
)

// templateFormats take a template, or a file with one, behind an equals sign.
func templateFormats() []string {
	return []string{"jsonpath", "jsonpath-as-json", "jsonpath-file", "go-template", "go-template-file"}
}

// outputFlag is kubectl's -o: one of several words, or a template.
func outputFlag(value *string, words []string) *flagValue {
	flag := enumFlag(value, words...)
	isWord := flag.set
	flag.set = func(format string) error {
		if isWord(format) == nil {
			return nil
		}
		if !isTemplate(format) {
			return fmt.Errorf("must be one of (%s)", formatsOf(words))
		}
		if _, err := genericclioptions.NewKubeTemplatePrintFlags().ToPrinter(format); err != nil {
			return fmt.Errorf("cannot be read: %w", err)
		}
		*value = format
		return nil
	}
	return flag
}

// formatsOf are the words and the templates.
func formatsOf(words []string) string {
	return strings.Join(slices.Concat(words, templateFormats()), ", ")
}

// isTemplate tells whether a format is one with a template.
func isTemplate(format string) bool {
	before, _, has := strings.Cut(format, "=")
	return has && slices.Contains(templateFormats(), before)
}

// bindFormats adds -o for some words, and for templates.
func bindFormats(cmd *cobra.Command, value *string, words ...string) {
	cmd.Flags().VarP(outputFlag(value, words), "output", "o", fmt.Sprintf("Output format. One of: (%s)", formatsOf(words)))
	offerWords(cmd, "output", words)
}

// object is a result as programs read it, with what it is.
type object struct {
	kind   string
	result any
}

var _ json.Marshaler = object{}

// MarshalJSON puts what it is before what is in it.
func (o object) MarshalJSON() ([]byte, error) {
	inner, err := marshalJSON(o.result, "")
	if err != nil {
		return nil, err
	}
	head := fmt.Sprintf(`{"apiVersion":%q,"kind":%q`, objectVersion, o.kind)
	if !bytes.Equal(inner, []byte("{}\n")) {
		head += ","
	}
	return append([]byte(head), inner[1:]...), nil
}

// kindOf is what a result is called: as its type in the Go library, but for one whose type
// was called so once.
func kindOf[Out any](*Out) string {
	of := reflect.TypeFor[Out]()
	if of == reflect.TypeFor[e2eimage.Images]() {
		return "RefResult"
	}
	return of.Name()
}

// printObject prints a result of a kind for programs: as JSON, as YAML, by a template, or the names
// of its images, as other verbs take them; of load the images that nodes have.
func (a *app) printObject(format, kind string, result any) error {
	o := object{kind, result}
	switch format {
	case formatJSON, formatYAML:
		return a.printMarshalled(format, o)
	case formatName:
		field := "name"
		if _, loaded := result.(*e2eimage.LoadResult); loaded {
			// The name of an IMAGE is made up, and no verb takes it.
			field = "image"
		}
		text, err := templated(`go-template={{range .images}}{{with .`+field+`}}{{.}}{{"\n"}}{{end}}{{end}}`, o)
		if err != nil {
			return err
		}
		return a.printExact(onceEach(text))
	}
	text, err := templated(format, o)
	if err != nil {
		return err
	}
	return a.printExact(text)
}

// templated is a template filled by cli-runtime's printers.
func templated(format string, o object) (string, error) {
	printer, err := genericclioptions.NewKubeTemplatePrintFlags().ToPrinter(format)
	if err != nil {
		return "", &usageError{err}
	}
	text, err := json.Marshal(o)
	if err != nil {
		return "", err
	}
	var content unstructured.Unstructured
	if err := json.Unmarshal(text, &content.Object); err != nil {
		return "", err
	}
	var out strings.Builder
	if err := printer.PrintObj(&content, &out); err != nil {
		// The rest is the whole object.
		first, _, _ := strings.Cut(err.Error(), "\n")
		return "", &usageError{errors.New(strings.TrimSuffix(first,
			". Printing more information for debugging the template:"))}
	}
	return out.String(), nil
}

// onceEach leaves out lines that were there before: suites may share the name of an image.
func onceEach(text string) string {
	var once strings.Builder
	seen := map[string]bool{}
	for line := range strings.Lines(text) {
		if !seen[line] {
			once.WriteString(line)
		}
		seen[line] = true
	}
	return once.String()
}
