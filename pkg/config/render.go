package config

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"text/template"
	"text/template/parse"
)

// Bounds of a template and of what it may yield.
const (
	maxTemplate = 4 << 10
	maxRendered = 4 << 10
)

// isTemplate tells templates from plain text.
func isTemplate(text string) bool { return strings.Contains(text, "{{") }

// render executes a template that can use the allowed fields, of which those in
// values are known.
func render(text string, allowed []string, values map[string]any, environment Environment) (string, error) {
	parsed, used, err := parseTemplate(text, allowed, environment)
	if err != nil {
		return "", err
	}
	for _, field := range used {
		if _, ok := values[field]; !ok {
			return "", fmt.Errorf("template %s uses .%s, which is not known here%s", quote(text), field, whyUnknown(field))
		}
	}
	out := &bounded{}
	if err := parsed.Execute(out, values); err != nil {
		return "", fmt.Errorf("template %s: %s", quote(text), plain(err))
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

// parseTemplate returns the template and the fields that it uses. Templates are
// fields, variables of the environment, and choices between them: no loops, so
// that each ends.
func parseTemplate(text string, allowed []string, environment Environment) (*template.Template, []string, error) {
	if len(text) > maxTemplate {
		return nil, nil, fmt.Errorf("template %s has %d characters; at most %d are possible", quote(text), len(text),
			maxTemplate)
	}
	parsed, err := template.New("").Funcs(template.FuncMap{"env": environment.mustHave}).Parse(text)
	if err != nil {
		return nil, nil, fmt.Errorf("template %s: %s", quote(text), plain(err))
	}
	visit := &usage{allowed: allowed}
	if parsed.Tree == nil || len(parsed.Templates()) > 1 {
		err = errors.New("has {{define}} or {{block}}; write the text directly")
	} else {
		err = visit.node(parsed.Root)
	}
	if err != nil {
		return nil, nil, fmt.Errorf("template %s %w", quote(text), err)
	}
	return parsed, visit.fields, nil
}

// mustHave is env in templates.
func (e Environment) mustHave(key string) (string, error) {
	if e != nil {
		if value, ok := e(key); ok {
			return value, nil
		}
	}
	return "", fmt.Errorf("the environment variable %s is not set", strconv.Quote(key))
}

// usage finds out what a template uses.
type usage struct {
	allowed, fields []string
}

func (u *usage) node(node parse.Node) error {
	switch n := node.(type) {
	case *parse.ListNode:
		if n == nil {
			return nil
		}
		return each(u, n.Nodes)
	case *parse.ActionNode:
		return u.node(n.Pipe)
	case *parse.IfNode:
		return each(u, []parse.Node{n.Pipe, n.List, n.ElseList})
	case *parse.PipeNode:
		if len(n.Decl) > 0 {
			return fmt.Errorf("has the variable %s; use fields and env instead", n.Decl[0])
		}
		return each(u, n.Cmds)
	case *parse.CommandNode:
		return each(u, n.Args)
	case *parse.FieldNode:
		return u.field(n)
	case *parse.IdentifierNode:
		if known := []string{"env", "and", "or", "not", "eq", "ne"}; !slices.Contains(known, n.Ident) {
			return fmt.Errorf("uses the function %s; known are %s", n.Ident, strings.Join(known, ", "))
		}
		return nil
	case *parse.TextNode, *parse.StringNode, *parse.NumberNode, *parse.BoolNode, *parse.CommentNode:
		return nil
	}
	return fmt.Errorf("has %s; possible are fields like {{.%s}}, {{env \"X\"}} and {{if}}", quote(node.String()),
		u.allowed[0])
}

func (u *usage) field(node *parse.FieldNode) error {
	field := node.Ident[0]
	switch {
	case len(node.Ident) > 1:
		return fmt.Errorf("uses %s, but .%s is text and has no fields", node, field)
	case !slices.Contains(u.allowed, field):
		return fmt.Errorf("uses .%s, which is not known here%s; known are .%s and env", field,
			didYouMean(field, u.allowed), strings.Join(u.allowed, ", ."))
	case !slices.Contains(u.fields, field):
		u.fields = append(u.fields, field)
	}
	return nil
}

func each[N parse.Node](u *usage, nodes []N) error {
	for _, node := range nodes {
		if err := u.node(node); err != nil {
			return err
		}
	}
	return nil
}

// plain takes the package's own prefix, "template: :1:2: ", off its errors.
func plain(err error) string {
	var inFunction template.ExecError
	if errors.As(err, &inFunction) {
		for unwrapped := errors.Unwrap(err); unwrapped != nil; unwrapped = errors.Unwrap(unwrapped) {
			err = unwrapped
		}
	}
	message := harmless(err)
	if rest, ok := strings.CutPrefix(message, "template: "); ok {
		if _, after, found := strings.Cut(rest, ": "); found {
			return after
		}
	}
	return message
}

type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, fmt.Errorf("it yields more than %d characters", maxRendered)
	}
	return b.Builder.Write(p)
}
