package cli

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"
	"testing"
)

// hint is a command that the code can print, with where it is written.
type hint struct{ at, line string }

// typers are the functions that put a command together: their first argument is the verb.
var typers = []string{"typed", "typedAt", "Ours"}

// hints are the commands in the string literals of a file, and those of typers. What is
// filled in is "x".
func hints(files *token.FileSet, file *ast.File) []hint {
	var found []hint
	seen := map[ast.Node]bool{}
	ast.Inspect(file, func(node ast.Node) bool {
		expression, ok := node.(ast.Expr)
		if !ok || seen[node] {
			return !ok || !seen[node]
		}
		text := ""
		switch node.(type) {
		case *ast.BasicLit, *ast.BinaryExpr:
			text = flat(expression)
		case *ast.CallExpr:
			if text = flat(expression); text == "x" {
				return true
			}
		default:
			return true
		}
		ast.Inspect(node, func(inner ast.Node) bool { seen[inner] = true; return true })
		for _, line := range typedLines(text) {
			found = append(found, hint{files.Position(node.Pos()).String(), line})
		}
		return false
	})
	return found
}

var formatVerb = regexp.MustCompile(`%(\[\d+\])?[a-z+]`)

// flat is the text of an expression, with "x" for what is not written there.
func flat(expression ast.Expr) string {
	switch e := expression.(type) {
	case *ast.BasicLit:
		text, err := strconv.Unquote(e.Value)
		if err != nil {
			return "x"
		}
		return formatVerb.ReplaceAllString(text, "x")
	case *ast.BinaryExpr:
		return flat(e.X) + flat(e.Y)
	case *ast.ParenExpr:
		return flat(e.X)
	case *ast.CallExpr:
		name := ""
		switch function := e.Fun.(type) {
		case *ast.Ident:
			name = function.Name
		case *ast.SelectorExpr:
			name = function.Sel.Name
		}
		for _, typer := range typers {
			if name == typer && len(e.Args) > 1 {
				return "kubectl e2eimage " + flat(e.Args[0]) + " " + strings.TrimSpace(flat(e.Args[1])) + " -n x --consumer x --lock x"
			}
		}
		if format, ok := formatOf(name, e); ok {
			return format
		}
	}
	return "x"
}

// formatOf fills the arguments of Sprintf and Errorf in.
func formatOf(name string, call *ast.CallExpr) (string, bool) {
	if name != "Sprintf" && name != "Errorf" || len(call.Args) == 0 {
		return "", false
	}
	literal, ok := call.Args[0].(*ast.BasicLit)
	if !ok {
		return "", false
	}
	text, err := strconv.Unquote(literal.Value)
	next := 0
	text = formatVerb.ReplaceAllStringFunc(text, func(string) string {
		next++
		if next < len(call.Args) {
			return flat(call.Args[next])
		}
		return "x"
	})
	return text, err == nil
}

var (
	command = regexp.MustCompile(`kubectl e2eimage( [^\n]*)?`)
	// ending is where a sentence goes on behind a command.
	ending = regexp.MustCompile(`[;,)|]|&&| \(|: | > | \.\.\. | and | or | keep `)
)

func typedLines(text string) []string {
	// Long commands of examples go on in the next line.
	text = strings.ReplaceAll(text, "\\\n", " ")
	var lines []string
	for _, whole := range command.FindAllString(text, -1) {
		for _, one := range strings.Split(whole, "kubectl e2eimage ")[1:] {
			if at := ending.FindStringIndex(one); at != nil {
				one = one[:at[0]]
			}
			lines = append(lines, strings.TrimSpace(one))
		}
	}
	return lines
}

// codeHints are the hints of all that the binary is made of.
func codeHints(t *testing.T) []hint {
	t.Helper()
	var all []hint
	for _, root := range []string{"../../pkg", "../../internal", "../../cmd"} {
		err := filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
			if err != nil || filepath.Ext(path) != ".go" || strings.HasSuffix(path, "_test.go") {
				return err
			}
			files := token.NewFileSet()
			file, err := parser.ParseFile(files, path, nil, parser.SkipObjectResolution)
			if err != nil {
				return err
			}
			all = append(all, hints(files, file)...)
			return nil
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	return all
}

func TestEveryHintIsACommandThatThereIs(t *testing.T) {
	t.Parallel()
	all := codeHints(t)
	if len(all) < 60 {
		t.Errorf("only %d hints were found: they are looked for in the wrong way", len(all))
	}
	for _, hint := range all {
		if wrong := unparsed(hint.line); wrong != "" {
			t.Errorf("%s: kubectl e2eimage %s\n%s", hint.at, hint.line, wrong)
		}
	}
}

// unparsed says why the real commands do not take a line, "" if they do.
func unparsed(line string) string {
	args := strings.Fields(strings.NewReplacer(`"`, "", "'", "", "`", "", "$@", "x").Replace(line))
	root := newApp(Host{}).root()
	root.SetOut(io.Discard)
	if len(args) == 0 || args[0] == "x" || args[0] == "..." || args[0] == "__complete" {
		return ""
	}
	cmd, rest, err := root.Find(args)
	if err != nil || cmd == root && !strings.HasPrefix(args[0], "-") {
		return "there is no such verb"
	}
	cmd.InitDefaultHelpFlag()
	if err := cmd.ParseFlags(rest); err != nil {
		return err.Error()
	}
	if err := cmd.ValidateArgs(cmd.Flags().Args()); err != nil {
		return err.Error()
	}
	if err := excluding(cmd); err != nil {
		return err.Error()
	}
	return ""
}

func TestHintsAreFoundAndTriedInTheirWholeLength(t *testing.T) {
	t.Parallel()
	const code = `package p
import "fmt"
var a = fmt.Errorf("no\ntype: %s --scope=cluster; or so", typed("clean", names, suite))
var b = typedAt("load", x.Name, "", "", s) + " --source " + source
var c = "first: kubectl e2eimage load X && kubectl e2eimage tag X, then"
`
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "p.go", code, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, hint := range hints(files, file) {
		got = append(got, hint.line)
	}
	want := "clean x -n x --consumer x --lock x --scope=cluster|load x -n x --consumer x --lock x --source x|load X|tag X"
	if strings.Join(got, "|") != want {
		t.Errorf("found %q, want %s", got, want)
	}
	for line, wrong := range map[string]string{
		"render --workload x": "unknown flag: --workload", "delete x": "no such verb", "clean --orphans --keep 1": "cannot be given together", "clean x": "",
	} {
		if got := unparsed(line); wrong == "" && got != "" || !strings.Contains(got, wrong) {
			t.Errorf("%s: %q, want %q", line, got, wrong)
		}
	}
}
