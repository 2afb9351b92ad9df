package cli

import (
	"github.com/spf13/cobra"
	"k8s.io/client-go/rest"

	"github.com/e2eimage/kubectl-e2eimage/internal/version"
)

// clientVersion is what versionCommand prints as JSON and YAML, with the keys of
// kubectl version.
type clientVersion struct {
	ClientVersion version.Info `json:"clientVersion"`
}

func (a *app) versionCommand() *cobra.Command {
	var output string
	cmd := &cobra.Command{
		Use:   "version",
		Short: "Print the version",
		Example: `  # Print the version
  kubectl e2eimage version`,
		Args: noArguments,
		RunE: func(*cobra.Command, []string) error {
			info := version.Read()
			if output != "" {
				return a.printObject(output, "Version", clientVersion{info})
			}
			return a.println(info.String())
		},
	}
	bindFormats(cmd, &output, formatJSON, formatYAML)
	return cmd
}

// identified tells API servers which program asks, in all requests.
func identified(config *rest.Config) *rest.Config {
	config.UserAgent = version.Read().UserAgent()
	return config
}
