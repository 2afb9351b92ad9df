package check

import (
	"fmt"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"mvdan.cc/sh/v3/syntax"

	"github.com/e2eimage/kubectl-e2eimage/internal/cli"
	"github.com/e2eimage/kubectl-e2eimage/test/docs/page"
)

func TestEveryCommandOfThePagesCanBeTyped(t *testing.T) {
	t.Parallel()
	count := 0
	for _, p := range read(t, page.All) {
		for _, b := range p.Blocks {
			if b.Language == "sh" || b.Language == "console" {
				count += typed(t, fmt.Sprintf("%s:%d", p.Path, b.Line), b.Commands())
			}
		}
	}
	if count < 20 {
		t.Errorf("only %d commands found", count)
	}
}

func TestEveryExampleOfTheHelpCanBeTyped(t *testing.T) {
	t.Parallel()
	root := cli.Command(cli.Host{})
	for _, command := range append([]*cobra.Command{root}, root.Commands()...) {
		if command.Name() != "help" && typed(t, command.CommandPath()+" --help", command.Example) == 0 {
			t.Errorf("%s has no example", command.CommandPath())
		}
	}
}

// typed wants the command line of each call of the plugin in a script to be taken by the
// real commands. It returns how many there are.
func typed(t *testing.T, where, script string) int {
	t.Helper()
	file, err := syntax.NewParser(syntax.Variant(syntax.LangBash)).Parse(strings.NewReader(script), where)
	if err != nil {
		t.Errorf("%v", err)
		return 0
	}
	count := 0
	syntax.Walk(file, func(node syntax.Node) bool {
		call, ok := node.(*syntax.CallExpr)
		if !ok {
			return true
		}
		words := wordsOf(call)
		if len(words) < 2 || words[0] != "kubectl" || words[1] != "e2eimage" {
			return true
		}
		count++
		if err := parses(words[2:]); err != nil {
			t.Errorf("%s: %s\n\t%v", where, strings.Join(words, " "), err)
		}
		return true
	})
	return count
}

// wordsOf are a call's words; what the shell fills in is something.
func wordsOf(call *syntax.CallExpr) []string {
	var words []string
	for _, arg := range call.Args {
		word := ""
		for _, part := range arg.Parts {
			word += textOf(part)
		}
		words = append(words, word)
	}
	return words
}

func textOf(part syntax.WordPart) string {
	switch part := part.(type) {
	case *syntax.Lit:
		return strings.ReplaceAll(part.Value, "\\\n", "")
	case *syntax.SglQuoted:
		return part.Value
	case *syntax.DblQuoted:
		text := ""
		for _, inner := range part.Parts {
			text += textOf(inner)
		}
		return text
	}
	return "something"
}

// parses holds words against the real commands, which are not run.
func parses(words []string) error {
	root := cli.Command(cli.Host{})
	command, rest, err := root.Find(words)
	if err != nil {
		return err
	}
	command.InitDefaultHelpFlag()
	if err := command.ParseFlags(rest); err != nil {
		return err
	}
	if asksForHelp(command) {
		return nil
	}
	if err := command.ValidateArgs(command.Flags().Args()); err != nil {
		return err
	}
	return command.ValidateFlagGroups()
}

func asksForHelp(command *cobra.Command) bool {
	help, err := command.Flags().GetBool("help")
	return err == nil && help
}
