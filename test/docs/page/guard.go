package page

import (
	"fmt"
	"strings"

	"mvdan.cc/sh/v3/syntax"
)

// guard makes a failure of any part of "a && b" count. The shell itself goes on where a
// fails, and a page that shows `x=$(…) && echo "$x"` would pass with nothing printed.
func guard(script, where string) (string, error) {
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), where)
	if err != nil {
		return "", err
	}
	var b strings.Builder
	done := uint(0)
	for _, statement := range file.Stmts {
		list, ok := statement.Cmd.(*syntax.BinaryCmd)
		if !ok || list.Op != syntax.AndStmt || statement.Background || hasDocument(statement) {
			continue
		}
		end := list.End().Offset()
		b.WriteString(script[done:end])
		fmt.Fprint(&b, " || docs_failed $? $LINENO")
		done = end
	}
	b.WriteString(script[done:])
	return b.String(), nil
}

// hasDocument tells whether the text of a statement goes on below it.
func hasDocument(statement *syntax.Stmt) bool {
	found := false
	syntax.Walk(statement, func(node syntax.Node) bool {
		if redirect, ok := node.(*syntax.Redirect); ok && redirect.Hdoc != nil {
			found = true
		}
		return !found
	})
	return found
}
