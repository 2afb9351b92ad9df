package main

import (
	"fmt"
	"strings"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

func newEnv() *cobra.Command {
	var provider string
	cmd := &cobra.Command{
		Use:   "env",
		Short: "Print the environment that the engine needs, for eval in a shell",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			vars, err := kindtest.Environment(cmd.Context(), provider, cmd.ErrOrStderr())
			if err != nil {
				return err
			}
			_, err = fmt.Fprint(cmd.OutOrStdout(), exports(vars))
			return err
		},
	}
	providerFlag(cmd, &provider)
	return cmd
}

// exports are lines for a POSIX shell.
func exports(vars []kindtest.Variable) string {
	var b strings.Builder
	for _, v := range vars {
		fmt.Fprintf(&b, "export %s=%s\n", v.Name, quote(v.Value))
	}
	return b.String()
}

// quote makes one shell word of any text: inside single quotes only the single
// quote itself is special.
func quote(text string) string {
	return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'"
}
