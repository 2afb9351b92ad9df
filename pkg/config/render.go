package config

import (
	"cmp"
	"errors"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"text/template"
	"text/template/parse"
)

// maxTemplate bounds a template, and what it yields.
const maxTemplate = 4 << 10

// isTemplate tells templates from plain text.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// render executes a template that can use the allowed fields of the values.
func render(text string, allowed []string, values HelmValues) (string, error) {
	parsed, used, err := parseTemplate(text, allowed, values.Environment)
	if err != nil {
		return "", err
	}
	facts := reflect.ValueOf(values.TemplateValues)
	for _, field := range used {
		if fact := facts.FieldByName(field); fact.IsValid() && fact.IsZero() {
			return "", fmt.Errorf("template %s uses .%s, which is not known here%s", quote(text), field, whyUnknown(field))
		}
	}
	var out strings.Builder
	if err = parsed.Execute(&out, values); err == nil && out.Len() > maxTemplate {
		err = fmt.Errorf("it yields more than %d characters", maxTemplate)
	}
	if err != nil {
		return "", fmt.Errorf("template %s: %s", quote(text), withoutPosition(err))
	}
	return out.String(), nil
}

// whyUnknown says where a value would come from.
func whyUnknown(field string) string {
	switch field {
	case "GitCommit", "GitShort":
		return ": the working folder is in no Git repository with a commit"
	case "User":
		return ": the system does not tell who runs this"
	case "Consumer":
		return ": say it with --consumer or in " + fileName
	}
	return ""
}

// whereKnown says of a field of the recorded image which templates can use it.
func whereKnown(field string) string {
	switch field {
	case "Image", "Repository", "Tag":
		return ", only in build.command and helm"
	case "ImageID":
		return ", only in helm"
	}
	return ""
}

// parseTemplate returns the template and the fields that it uses.
func parseTemplate(text string, allowed []string, environment Environment) (*template.Template, []string, error) {
	if len(text) > maxTemplate {
		return nil, nil, fmt.Errorf("template %s has %d characters; at most %d are possible", quote(text), len(text),
			maxTemplate)
	}
	parsed, err := template.New("").Funcs(template.FuncMap{"env": environment.get}).Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("template %s: %s", quote(text), withoutPosition(err))
	}
	use := &templateUse{allowed: allowed}
	if parsed.Tree == nil || len(parsed.Templates()) > 1 {
		err = errors.New("has {{define}} or {{block}}; write the text directly")
	} else {
		err = use.of(parsed.Root)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("template %s %w", quote(text), err)
	}
	return parsed, use.fields, nil
}

// get is env in templates. With a second word, a variable that is not set or empty is that,
// as in a shell's ${X:-word}.
func (e Environment) get(key string, otherwise ...string) (string, error) {
	if len(otherwise) > 1 {
		return "", fmt.Errorf("env takes a variable and at most one default, not %d", len(otherwise))
	}
	value, set := "", false
	if e != nil {
		value, set = e(key)
	}
	switch {
	case len(otherwise) == 1:
		return cmp.Or(value, otherwise[0]), nil
	case !set:
		return "", fmt.Errorf("the environment variable %q is not set; set it, or give a default: {{env %q \"DEFAULT\"}}",
			key, key)
	}
	return value, nil
}

// templateUse finds out which fields a template uses. Executing it would tell only those of
// the branches that are taken. Fields, variables of the environment and choices between
// them are possible, but no loops, so that each template ends.
type templateUse struct{ allowed, fields []string }

func (u *templateUse) of(nodes ...parse.Node) error {
	for _, node := range nodes {
		var err error
		switch n := node.(type) {
		case *parse.TextNode, *parse.StringNode, *parse.NumberNode, *parse.BoolNode:
		case *parse.ActionNode:
			err = u.of(n.Pipe)
		case *parse.IfNode:
			err = u.of(n.Pipe, n.List, n.ElseList)
		case *parse.ListNode:
			if n != nil {
				err = u.of(n.Nodes...)
			}
		case *parse.PipeNode:
			if len(n.Decl) > 0 {
				return fmt.Errorf("has the variable %s; use fields and env instead", n.Decl[0])
			}
			for _, command := range n.Cmds {
				err = cmp.Or(err, u.of(command.Args...))
			}
		case *parse.IdentifierNode:
			if known := []string{"env", "and", "or", "not", "eq", "ne"}; !slices.Contains(known, n.Ident) {
				err = fmt.Errorf("uses the function %s; known are %s", n.Ident, strings.Join(known, ", "))
			}
		case *parse.FieldNode:
			err = u.ofField(n)
		default:
			err = fmt.Errorf("has %s; possible are fields like {{.%s}}, {{env \"X\"}} and {{if}}", quote(node.String()),
				u.allowed[0])
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func (u *templateUse) ofField(node *parse.FieldNode) error {
	field := node.Ident[0]
	switch {
	case len(node.Ident) > 1:
		return fmt.Errorf("uses %s, but .%s is text and has no fields", node, field)
	case !slices.Contains(u.allowed, field):
		return fmt.Errorf("uses .%s, which is not known here%s; known are .%s and env", field,
			cmp.Or(whereKnown(field), didYouMean(field, u.allowed)), strings.Join(u.allowed, ", ."))
	}
	u.fields = append(u.fields, field)
	return nil
}

var templatePosition = regexp.MustCompile(`^template: :[0-9:]+ `)

// withoutPosition is what a template got wrong, without what the package puts before it.
func withoutPosition(err error) string {
	for inner := err; inner != nil; inner = errors.Unwrap(inner) {
		err = inner
	}
	return templatePosition.ReplaceAllString(harmless(err), "")
}
