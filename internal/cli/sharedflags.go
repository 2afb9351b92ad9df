package cli

import (
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// Flags that several verbs have, each bound to the field that it stands for.

// bindEngine adds where images come from.
func bindEngine(cmd *cobra.Command, flags *config.Flags, engineUsage string) {
	bind(cmd, enumFlag(&flags.Engine, "docker", "podman"), "engine", engineUsage)
	bind(cmd, enumFlag(&flags.Prebuilt, config.PrebuiltPrefer, config.PrebuiltRequire, config.PrebuiltIgnore), "prebuilt",
		"Whether images from elsewhere replace builds: prefer, require or ignore (default prefer)")
}

// bindBuildLimits adds the bounds of builds.
func bindBuildLimits(cmd *cobra.Command, parallel *int, timeout *time.Duration) {
	*timeout = e2eimage.DefaultBuildTimeout
	bind(cmd, countFlag(parallel), "parallel", "How many images are built at once (default 2)")
	bind(cmd, durationFlag(timeout), "build-timeout", "Give up building after this long; 0 waits for ever")
}

// bindTag adds what tag an image gets.
func bindTag(cmd *cobra.Command, flags *config.Flags, isNew *bool) {
	set := cmd.Flags()
	set.StringVar(&flags.Tag, "tag", "", "Exactly this tag instead of a drawn one")
	set.StringVar(&flags.TagTemplate, "tag-template", "", "Go template of the tag (default {{.Consumer}}-{{.Random}})")
	set.BoolVar(isNew, "new", false, "Draw a new tag although the content has one already")
	cmd.MarkFlagsMutuallyExclusive("tag", "tag-template")
	cmd.MarkFlagsMutuallyExclusive("tag", "new")
}

// bindRecord adds what a record is called, and where it goes.
func bindRecord(cmd *cobra.Command, flags *config.Flags, createNamespace *bool) {
	cmd.Flags().StringVar(&flags.Repository, "repository", "", "Repository of the recorded image (default localhost/NAME)")
	cmd.Flags().BoolVar(createNamespace, "create-namespace", false, "Create the namespace if it does not exist")
}

// bindConflict adds what decides where lock, host and cluster do not agree.
func bindConflict(cmd *cobra.Command, use *e2eimage.Use, allowStale *bool) {
	bind(cmd, enumFlag(use, e2eimage.UseLock, e2eimage.UseCluster), "use",
		"If lock and cluster disagree: the one that is right, lock or cluster")
	cmd.Flags().BoolVar(allowStale, "allow-stale", false, "Only warn if this host has something newer")
}

// bindFrom adds where recorded images are read.
func bindFrom(cmd *cobra.Command, from *e2eimage.Use) {
	bind(cmd, enumFlag(from, e2eimage.UseLock, e2eimage.UseCluster), "from",
		"Read the lock or the cluster (default: the lock if it has the image, else the cluster)")
}

// bindDryRun adds kubectl's --dry-run, without the server, for which most verbs have no use.
func bindDryRun(cmd *cobra.Command, dry *bool) {
	word := e2eimage.DryRunNone
	value := enumFlag(&word, e2eimage.DryRunNone, e2eimage.DryRunClient)
	choose := value.set
	value.set = func(chosen string) error {
		err := choose(chosen)
		*dry = word == e2eimage.DryRunClient
		return err
	}
	bindDryRunWords(cmd, value, `Must be "none" or "client". client: say what would be done, change nothing`)
}

// bindDryRunWords adds a --dry-run that is "client" where no word follows it.
func bindDryRunWords(cmd *cobra.Command, value *flagValue, usage string) {
	bind(cmd, value, "dry-run", usage)
	cmd.Flags().Lookup("dry-run").NoOptDefVal = string(e2eimage.DryRunClient)
}
