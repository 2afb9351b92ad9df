package cli

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// reference is where the pages of the commands are, made from what --help says.
const reference = "../../docs/reference"

// cobra's own generator repeats kubectl's two dozen flags on each page.
func TestTheReferenceSaysWhatHelpSays(t *testing.T) {
	t.Parallel()
	root := Command(Host{})
	pages := map[string]string{"README.md": referenceIndex(root)}
	for _, command := range commandsOf(root) {
		pages[command.Name()+".md"] = referencePage(command)
	}
	if *update {
		if err := os.RemoveAll(reference); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(reference, 0o755); err != nil {
			t.Fatal(err)
		}
		for name, text := range pages {
			if err := os.WriteFile(filepath.Join(reference, name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
		}
	}
	entries, err := os.ReadDir(reference)
	if err != nil {
		t.Fatal(err)
	}
	for _, entry := range entries {
		if pages[entry.Name()] == "" {
			t.Errorf("%s is no command's; run 'make docs'", entry.Name())
		}
	}
	for name, want := range pages {
		got, err := os.ReadFile(filepath.Join(reference, name))
		if err != nil {
			t.Errorf("%v; run 'make docs'", err)
		} else if diff := cmp.Diff(want, string(got)); diff != "" {
			t.Errorf("%s is not what --help says; run 'make docs'\n%s", name, diff)
		}
	}
}

// commandsOf are those with a page: all but help, which needs none.
func commandsOf(root *cobra.Command) []*cobra.Command {
	return slices.DeleteFunc(slices.Clone(root.Commands()), func(c *cobra.Command) bool {
		return !c.IsAvailableCommand() || c.Name() == "help" || c.Name() == "options"
	})
}

const generated = "<!-- Made by 'make docs' from what --help says. Change it there. -->\n\n"

func referenceIndex(root *cobra.Command) string {
	var b strings.Builder
	fmt.Fprintf(&b, "# Commands\n\n%s%s\n\n| command | does |\n|---|---|\n", generated, prose(root.Long))
	for _, command := range commandsOf(root) {
		fmt.Fprintf(&b, "| [%s](%s.md) | %s |\n", command.Name(), command.Name(), cell(command.Short))
	}
	fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", dedent(root.Example))
	fmt.Fprintf(&b, "\n## Options of every command\n\n%s", flagTable(root.PersistentFlags()))
	return b.String()
}

func referencePage(command *cobra.Command) string {
	command.InitDefaultHelpFlag()
	var b strings.Builder
	fmt.Fprintf(&b, "# %s\n\n%s", command.CommandPath(), generated)
	long := command.Long
	if long == "" {
		long = command.Short + "."
	}
	fmt.Fprintf(&b, "```text\n%s\n```\n\n%s\n", command.UseLine(), prose(long))
	fmt.Fprintf(&b, "\n## Examples\n\n```sh\n%s\n```\n", dedent(command.Example))
	fmt.Fprintf(&b, "\n## Options\n\n%s\nBeside these, the [options of every command](README.md#options-of-every-command).\n",
		flagTable(command.LocalNonPersistentFlags()))
	return b.String()
}

// prose makes Markdown of help's text: what is in columns there stays so.
func prose(text string) string {
	var parts []string
	for part := range strings.SplitSeq(strings.TrimSpace(text), "\n\n") {
		var plain, columns []string
		for line := range strings.SplitSeq(part, "\n") {
			switch {
			case strings.HasPrefix(line, "  "):
				columns = append(columns, line)
				continue
			case len(columns) > 0:
				parts, plain, columns = append(parts, block(plain, columns)), nil, nil
			}
			plain = append(plain, line)
		}
		parts = append(parts, block(plain, columns))
	}
	return strings.Join(parts, "\n\n")
}

func block(plain, columns []string) string {
	text := strings.NewReplacer("<", `\<`, "*", `\*`).Replace(strings.Join(plain, "\n"))
	if len(columns) == 0 {
		return text
	}
	return strings.TrimSpace(text + "\n\n```text\n" + dedent(strings.Join(columns, "\n")) + "\n```")
}

func dedent(text string) string {
	lines := strings.Split(strings.Trim(text, "\n"), "\n")
	for i := range lines {
		lines[i] = strings.TrimPrefix(lines[i], "  ")
	}
	return strings.Join(lines, "\n")
}

func cell(text string) string {
	return strings.NewReplacer("|", `\|`, "<", `\<`, "*", `\*`).Replace(text)
}

// flagTable has what pflag prints, without its columns.
func flagTable(flags *pflag.FlagSet) string {
	var b bytes.Buffer
	b.WriteString("| option | means |\n|---|---|\n")
	flags.VisitAll(func(flag *pflag.Flag) {
		if flag.Hidden {
			return
		}
		// As pflag does it: the default is in its own words where there are some.
		one := pflag.NewFlagSet("", pflag.ContinueOnError)
		one.AddFlag(flag)
		names, means, _ := strings.Cut(strings.TrimSpace(one.FlagUsages()), "   ")
		fmt.Fprintf(&b, "| `%s` | %s |\n", strings.TrimSpace(names), cell(strings.TrimSpace(means)))
	})
	return b.String()
}
