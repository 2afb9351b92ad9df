package cli

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// kubectlComplete is what kubectl looks for on PATH to complete a plugin's
// arguments (k8s.io/kubectl/pkg/cmd/plugin/plugin_completion.go).
const kubectlComplete = `#!/bin/sh
# Put this file on PATH as kubectl_complete-e2eimage and make it executable:
# kubectl then completes the arguments of "kubectl e2eimage".
exec kubectl e2eimage __complete "$@"
`

func (a *app) completionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "completion (bash|fish|kubectl|powershell|zsh)",
		Short: "Print a shell completion script",
		Long: `Print a completion script. With "kubectl", it is the script by which kubectl
completes the arguments of this plugin. The others complete the program
kubectl-e2eimage if you call it by that name.`,
		Example: `  # Let kubectl complete the plugin's arguments
  kubectl e2eimage completion kubectl > kubectl_complete-e2eimage
  chmod +x kubectl_complete-e2eimage`,
		ValidArgs:             []string{"bash", "fish", "kubectl", "powershell", "zsh"},
		DisableFlagsInUseLine: true,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 || !slices.Contains(cmd.ValidArgs, args[0]) {
				got := ""
				if len(args) > 0 {
					got = fmt.Sprintf("; got %q", strings.Join(args, " "))
				}
				return misused(cmd, fmt.Errorf("which shell? Give one of %s%s", strings.Join(cmd.ValidArgs, ", "), got))
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			out := a.host.Streams.Out
			switch args[0] {
			case "bash":
				return cmd.Root().GenBashCompletionV2(out, true)
			case "fish":
				return cmd.Root().GenFishCompletion(out, true)
			case "powershell":
				return cmd.Root().GenPowerShellCompletionWithDesc(out)
			case "zsh":
				return cmd.Root().GenZshCompletion(out)
			}
			_, err := fmt.Fprint(out, kubectlComplete)
			return err
		},
	}
}
