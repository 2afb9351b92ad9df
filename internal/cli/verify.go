package cli

import (
	"context"
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

func (a *app) verifyCommand() *cobra.Command {
	v := newVerb(a, &cobra.Command{
		Use:        "verify [NAME...] [flags]",
		SuggestFor: []string{"diff", "check"},
		Short:      "Fail if records, nodes, pods and this host do not agree",
		Long: `Compare the same as "status". Print a line for each difference and the commands
that mend all of it, in the order in which to run them, and exit with 3 if there
is one. An image that nothing runs is one, too: nothing is proved of it. Nothing
is changed.

--wait first waits for rollouts that another tool has begun, such as helm
install. If one cannot succeed, it fails at once, as "deploy" does.`,
		Example: `  # After another tool deployed
  helm install services chart && kubectl e2eimage verify --wait

  # As a gate
  kubectl e2eimage verify datastorage`,
	}, verbs.Verify)
	v.suite = &v.in.Suite
	bindAllNamespaces(v, &v.in.AllNamespaces)
	v.cmd.Flags().BoolVar(&v.in.Wait, "wait", false, "Wait for the rollouts first")
	v.bindOutput()
	v.bindArtifacts()
	bindRolloutTimeout(v.cmd, positiveDuration(&v.in.Timeout))
	v.call = func(client verbs, ctx context.Context, in e2eimage.VerifyInput) (*e2eimage.StatusResult, error) {
		result, err := client.Verify(ctx, in)
		var found *e2eimage.DisagreementError
		if result != nil && errors.As(err, &found) {
			// What it says more is the result.
			err = &e2eimage.InconsistentError{Err: errors.New(found.Summary())}
		}
		if result != nil && v.output == formatName {
			// For who mends them.
			result.Images = slices.DeleteFunc(result.Images, func(i e2eimage.ImageStatus) bool {
				return i.State == e2eimage.StateConsistent
			})
		}
		return result, err
	}
	v.partial = anything
	v.print = func(result *e2eimage.StatusResult) error {
		wait := ""
		if !v.in.Wait {
			wait = a.verifyLike(v.cmd, v.flags.Names, "--wait")
		}
		return a.printFindings(result, wait)
	}
	return v.cmd
}
