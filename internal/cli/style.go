package cli

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"
)

// The look of kubectl's help: examples before flags, and the flags that every
// command has in a command of their own.
const (
	helpTemplate = `{{with (or .Long .Short)}}{{. | trimTrailingWhitespaces}}

{{end}}{{if or .Runnable .HasSubCommands}}{{.UsageString}}{{end}}`

	usageTemplate = `{{if .HasExample}}Examples:
{{.Example}}

{{end}}{{if .HasAvailableSubCommands}}Available Commands:{{range .Commands}}{{if (or .IsAvailableCommand (eq .Name "help"))}}
  {{rpad .Name .NamePadding }}  {{.Short}}{{end}}{{end}}

{{end}}{{if .HasAvailableLocalFlags}}{{with ownFlags .}}Options:
{{.}}

{{end}}{{end}}Usage:
{{if .HasAvailableSubCommands}}  {{.CommandPath}} [command] [flags]{{else}}  {{.UseLine}}{{end}}
{{if .HasAvailableSubCommands}}
Use "{{.CommandPath}} [command] --help" for more information about a given command.{{end}}
Use "{{.Root.CommandPath}} options" for a list of options that apply to all commands.
`
)

func useKubectlStyle(root *cobra.Command) {
	cobra.AddTemplateFunc("ownFlags", func(cmd *cobra.Command) string {
		return strings.TrimRight(cmd.LocalNonPersistentFlags().FlagUsagesWrapped(80), "\n")
	})
	root.SetHelpTemplate(helpTemplate)
	root.SetUsageTemplate(usageTemplate)
	root.InitDefaultHelpCmd()
}

func optionsCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "options",
		Short: "List the options that every command has",
		Example: `  # List them
  kubectl e2eimage options`,
		Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			_, err := fmt.Fprintf(cmd.OutOrStdout(), "The following options can be passed to any command:\n\n%s",
				cmd.Root().PersistentFlags().FlagUsagesWrapped(80))
			return err
		},
	}
}

func noArguments(cmd *cobra.Command, args []string) error {
	if err := cobra.NoArgs(cmd, args); err != nil {
		return &usageError{err}
	}
	return nil
}
