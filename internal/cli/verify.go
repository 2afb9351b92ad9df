package cli

import (
	"errors"
	"slices"
	"time"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

type verifyFlags struct {
	wait, allNamespaces bool
	output              string
	timeout             time.Duration // 0 for nobody said
}

func (a *app) verifyCommand() *cobra.Command {
	var flags verifyFlags
	cmd := &cobra.Command{
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
		ValidArgsFunction: a.completeNames,
		RunE: func(cmd *cobra.Command, names []string) error {
			return a.runVerify(cmd, names, flags)
		},
	}
	addAllNamespaces(cmd, &flags.allNamespaces)
	cmd.Flags().BoolVar(&flags.wait, "wait", false, "Wait for the rollouts first")
	addOutput(cmd, &flags.output)
	cmd.Flags().Var(&span{value: &flags.timeout, least: 1}, "timeout", "Wait this long for each rollout (default 120s)")
	return cmd
}

func (a *app) runVerify(cmd *cobra.Command, names []string, flags verifyFlags) error {
	suite, err := a.statusSuite(names, flags.allNamespaces)
	if err != nil {
		return err
	}
	client, err := a.client()
	if err != nil {
		return err
	}
	result, err := client.Verify(cmd.Context(), e2eimage.VerifyInput{
		Suite: suite, Wait: flags.wait, Timeout: flags.timeout, AllNamespaces: flags.allNamespaces,
	})
	if result == nil {
		return err
	}
	var found *e2eimage.DisagreementError
	if errors.As(err, &found) {
		// What it says more is the result.
		err = &e2eimage.InconsistentError{Err: errors.New(found.Summary())}
	}
	if flags.output == formatName {
		// For who mends them.
		result.Images = slices.DeleteFunc(result.Images, func(i e2eimage.ImageStatus) bool {
			return i.State == e2eimage.StateConsistent
		})
	}
	if flags.output != "" {
		return errors.Join(err, a.printObject(flags.output, kindStatus, result))
	}
	wait := ""
	if !flags.wait {
		wait = a.verifyLike(cmd, names, "--wait")
	}
	return errors.Join(err, a.printFindings(result, wait))
}
