package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"
)

// buildVersion is what versionCommand prints.
type buildVersion struct {
	Version   string `json:"version"`
	Commit    string `json:"commit,omitempty"`
	GoVersion string `json:"goVersion"`
	Platform  string `json:"platform"`
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
			version := readVersion()
			if output != "" {
				return a.printObject(output, version)
			}
			return a.println(fmt.Sprintf("kubectl-e2eimage %s (%s, %s)", version.Version, version.GoVersion, version.Platform))
		},
	}
	addOutput(cmd.Flags(), &output, "Output format, json or yaml", "json", "yaml")
	completeChoices(cmd, "output")
	return cmd
}

// readVersion takes the version that the go command stamped into the binary.
func readVersion() buildVersion {
	version := buildVersion{Version: "unknown", GoVersion: runtime.Version(), Platform: runtime.GOOS + "/" + runtime.GOARCH}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return version
	}
	version.Version = info.Main.Version
	for _, setting := range info.Settings {
		if setting.Key == "vcs.revision" {
			version.Commit = setting.Value
		}
	}
	return version
}
