package cli

import (
	"strings"

	"al.essio.dev/pkg/shellescape"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// verifyLike is verify for what a command line was about.
func (a *app) verifyLike(cmd *cobra.Command, names []string, more ...string) string {
	return quoted(append(a.about(cmd, "verify", names), more...))
}

// again is the command line itself, as it is typed once more. Of its flags that every command
// has it repeats what verifyLike does.
func (a *app) again(cmd *cobra.Command, names []string) string {
	var own []string
	cmd.LocalNonPersistentFlags().VisitAll(func(flag *pflag.Flag) {
		if flag.Changed && flag.Name != "all-namespaces" {
			own = append(own, typedFlag(flag)...)
		}
	})
	return quoted(append(a.about(cmd, cmd.Name(), names), own...))
}

// quoted are words as a shell takes them.
func quoted(words []string) string {
	for i, word := range words {
		words[i] = shellescape.Quote(word)
	}
	return strings.Join(words, " ")
}

// typedFlag is a flag as it is typed, once for each of its values.
func typedFlag(flag *pflag.Flag) []string {
	name, values := "--"+flag.Name, []string{flag.Value.String()}
	if flag.Shorthand != "" {
		name = "-" + flag.Shorthand
	}
	if several, ok := flag.Value.(pflag.SliceValue); ok {
		values = several.GetSlice()
	}
	var words []string
	for _, value := range values {
		switch {
		case flag.NoOptDefVal == "":
			words = append(words, name, value)
		case flag.NoOptDefVal == value:
			words = append(words, name)
		default:
			words = append(words, "--"+flag.Name+"="+value)
		}
	}
	return words
}

// about is a command for what a command line was about. Of the flags it repeats those that
// say which records are meant, and where: others may be secrets.
func (a *app) about(cmd *cobra.Command, verb string, names []string) []string {
	words := append([]string{"kubectl", "e2eimage", verb}, names...)
	for _, flag := range [][2]string{{"namespace", "-n"}, {"consumer", "--consumer"}, {"lock", "--lock"}} {
		if said := cmd.Flags().Lookup(flag[0]); said != nil && said.Changed {
			words = append(words, flag[1], said.Value.String())
		}
	}
	if all := cmd.Flags().Lookup("all-namespaces"); all != nil && all.Changed {
		words = append(words, "-A")
	}
	return append(words, a.repeated()...)
}
