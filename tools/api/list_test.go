package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"go/types"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

func linesOf(t *testing.T, source string) []string {
	t.Helper()
	files := token.NewFileSet()
	file, err := parser.ParseFile(files, "p.go", "package p\n"+source, 0)
	if err != nil {
		t.Fatal(err)
	}
	checked, err := new(types.Config).Check("example.org/p", files, []*ast.File{file}, nil)
	if err != nil {
		t.Fatal(err)
	}
	return public(checked)
}

func TestAllThatUsersCanNameIsListed(t *testing.T) {
	t.Parallel()
	for source, want := range map[string][]string{
		"const A = \"a\"\nconst b = 1": {`const A untyped string = "a"`},
		"const A = 1":                  {"const A untyped int"},
		"var A, b int":                 {"var A int"},
		"func A(x int, y ...string) (z error) { return }": {"func A(int, ...string) error"},
		"type A = int":           {"type A = int"},
		"type A string":          {"type A string"},
		"type a struct{ B int }": nil,
		"type A struct{ B int `json:\"b\"`; c int }":         {"type A struct", "type A struct, B int `json:\"b\"`"},
		"type A struct{}\nfunc (A) B() {}\nfunc (*A) C() {}": {"type A struct", "method (A) B()", "method (*A) C()"},
		"type A struct{}\nfunc (A) b() {}":                   {"type A struct"},
		"type A interface{ B(); C(int) }":                    {"type A interface { B(); C(int); }"},
		"type A interface{ B(); c() }":                       {"type A interface, closed", "type A interface, B()"},
	} {
		for i := range want {
			want[i] = "pkg p, " + want[i]
		}
		if got := linesOf(t, source); !slices.Equal(got, want) {
			t.Errorf("%s\n%q, want\n%q", source, got, want)
		}
	}
}

func TestWhatIsGoneBreaksAndWhatIsNewHasToBeWrittenDown(t *testing.T) {
	t.Parallel()
	folder := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(folder, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	write("go.mod", "module example.org/p\ngo 1.26\n")
	write("p.go", "package p\n\n// A is.\nconst A = 1\n\n// B is.\nconst B = 2\n")
	file := filepath.Join(folder, "api.txt")
	check := func(update bool) error { return run(t.Context(), update, []string{folder, file, "."}) }
	if err := check(true); err != nil {
		t.Fatal(err)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "pkg p, const A untyped int\npkg p, const B untyped int\n" {
		t.Errorf("%s, %v", text, err)
	}
	if err := check(false); err != nil {
		t.Error(err)
	}
	write("p.go", "package p\n\n// A is.\nconst A = 1\n\n// C is.\nconst C = 2\n")
	for _, update := range []bool{false, true} {
		if err := check(update); err == nil || !strings.Contains(err.Error(), "const B") {
			t.Errorf("what is gone: %v", err)
		}
	}
	write("p.go", "package p\n\n// A is.\nconst A = 1\n\n// B is.\nconst B = 2\n\n// C is.\nconst C = 2\n")
	if err := check(false); err == nil || !strings.Contains(err.Error(), "const C") || !strings.Contains(err.Error(), "make api") {
		t.Errorf("what is new: %v", err)
	}
	if err := check(true); err != nil {
		t.Error(err)
	}
	if err := check(false); err != nil {
		t.Error(err)
	}
	write("p.go", "package p\n\nconst A = nothing\n")
	if err := check(false); err == nil || !strings.Contains(err.Error(), "nothing") {
		t.Errorf("what is no Go: %v", err)
	}
}
