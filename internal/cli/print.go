package cli

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"unicode/utf16"

	"go.yaml.in/yaml/v3"
	sigsyaml "sigs.k8s.io/yaml"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/internal/terminal"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// What is printed has names, sources and messages in it that others wrote, and is
// harmless for a terminal all the same:
//   - text for people is changed (println, printFinding, tables, as errors and progress are);
//   - JSON and YAML have escapes for it: whoever decodes them gets what was there;
//   - templates and ref's other formats cannot have both, and what is right has nothing
//     harmful in it: they are refused (printExact);
//   - render passes on the user's own manifests, byte for byte.

// printMarshalled writes a result as JSON or YAML to stdout.
func (a *app) printMarshalled(format string, result any) error {
	var text []byte
	var err error
	if format == "yaml" {
		text, err = marshalYAML(result)
	} else if text, err = marshalJSON(result, "    "); err == nil {
		// Only texts can have such characters, which there are escapes for.
		text = []byte(foreign.Escaped(string(text), func(r rune) string {
			if high, low := utf16.EncodeRune(r); r > 0xffff {
				return fmt.Sprintf(`\u%04x\u%04x`, high, low)
			}
			return fmt.Sprintf(`\u%04x`, r)
		}))
	}
	if err != nil {
		return err
	}
	_, err = a.host.Streams.Out.Write(text)
	return err
}

// marshalJSON writes commands as they are typed: no page of a browser shows this.
func marshalJSON(value any, indent string) ([]byte, error) {
	var text bytes.Buffer
	encoder := json.NewEncoder(&text)
	encoder.SetEscapeHTML(false)
	encoder.SetIndent("", indent)
	err := encoder.Encode(value)
	return text.Bytes(), err
}

// marshalYAML puts texts with harmful characters into double quotes, where there are
// escapes for them.
func marshalYAML(result any) ([]byte, error) {
	text, err := json.Marshal(result)
	if err != nil {
		return nil, err
	}
	if plain, err := sigsyaml.JSONToYAML(text); err == nil && foreign.IsHarmless(string(plain)) {
		return plain, nil
	}
	escape := func(r rune) string { return fmt.Sprintf(`\U%08X`, r) }
	var document yaml.Node
	if err := yaml.Unmarshal([]byte(foreign.Escaped(string(text), escape)), &document); err != nil {
		return nil, err
	}
	restyle(&document)
	var quoted bytes.Buffer
	encoder := yaml.NewEncoder(&quoted)
	encoder.SetIndent(2)
	if err := encoder.Encode(&document); err != nil {
		return nil, err
	}
	return []byte(foreign.Escaped(quoted.String(), escape)), nil
}

// restyle takes JSON's braces and quotes away, but for those that are needed.
func restyle(node *yaml.Node) {
	node.Style = 0
	if node.Kind == yaml.ScalarNode && !foreign.IsHarmless(node.Value) {
		node.Style = yaml.DoubleQuotedStyle
	}
	for _, inner := range node.Content {
		restyle(inner)
	}
}

// println prints a line for people.
func (a *app) println(line string) error {
	_, err := fmt.Fprintln(a.host.Streams.Out, foreign.Harmless(line))
	return err
}

// each prints all, up to the first that cannot be printed.
func each[T any](all []T, print func(T) error) error {
	for _, one := range all {
		if err := print(one); err != nil {
			return err
		}
	}
	return nil
}

// printImage prints an image, or says what a dry run plans: a script must not read a name
// that will not exist.
func (a *app) printImage(image, planned string) error {
	if image == "" {
		a.reporter().Info(planned + " (dry run)")
		return nil
	}
	return a.println(image)
}

// printFinding prints a line for people whose state may be coloured.
func (a *app) printFinding(of, state, text string, on screen) error {
	if on.coloured {
		state = colourOf(state) + foreign.Line(state) + ordinary
	} else {
		state = foreign.Line(state)
	}
	line := fmt.Sprintf("%s: %s: %s", foreign.Line(of), state, foreign.Line(strings.ReplaceAll(text, "\n", "; ")))
	_, err := fmt.Fprintln(a.host.Streams.Out, terminal.Fold(line, on.width, 0))
	return err
}

// printExact prints what another program takes as it is.
func (a *app) printExact(text string) error {
	if !foreign.IsHarmless(text) {
		return &e2eimage.InconsistentError{Err: fmt.Errorf("the recorded image has characters that no image name can "+
			"have, so it is not printed: %q\nlook at it: kubectl e2eimage status -o json", text)}
	}
	_, err := io.WriteString(a.host.Streams.Out, text)
	return err
}
