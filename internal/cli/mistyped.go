package cli

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// misused marks err as a mistake in the command line of cmd, and says where its flags
// are explained.
func misused(cmd *cobra.Command, err error) error {
	return &usageError{fmt.Errorf("%w\nsee: %s --help", err, cmd.CommandPath())}
}

// explained adds where flags are explained to mistakes in what the command line says, which
// the config has found; those of files are no matter of flags.
func explained(cmd *cobra.Command, err error) error {
	var found *config.UsageError
	if !errors.As(err, &found) {
		return err
	}
	for _, problem := range found.Problems {
		if strings.HasPrefix(problem.Where, "--") || problem.Where == "NAME" {
			return misused(cmd, err)
		}
	}
	return err
}

// unknownCommand refuses a word that is no verb, naming the one that was meant.
func unknownCommand(root *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	message := fmt.Sprintf("there is no verb %q", args[0])
	if meant := verbFor(root, args[0]); meant != "" {
		message += fmt.Sprintf("; did you mean: %s %s", root.CommandPath(), meant)
	}
	return misused(root, errors.New(message))
}

// verbFor is the verb that does what other tools call word, else the one that is spelt
// nearly like it.
func verbFor(root *cobra.Command, word string) string {
	var known []string
	for _, cmd := range root.Commands() {
		if !cmd.IsAvailableCommand() {
			continue
		}
		if slices.Contains(cmd.SuggestFor, strings.ToLower(word)) {
			return cmd.Name()
		}
		known = append(known, cmd.Name())
	}
	return nearest.Word(word, known)
}

// flagMistake puts what pflag says of a command line into plain words.
func flagMistake(cmd *cobra.Command, err error) error {
	var unknown *pflag.NotExistError
	var lacking *pflag.ValueRequiredError
	var invalid *pflag.InvalidValueError
	var malformed *pflag.InvalidSyntaxError
	switch {
	case errors.As(err, &unknown):
		err = unknownFlag(cmd, unknown)
	case errors.As(err, &lacking):
		err = fmt.Errorf("%s needs a value, as in %s=VALUE", spelt(lacking.GetFlag()), spelt(lacking.GetFlag()))
	case errors.As(err, &invalid):
		err = fmt.Errorf("%s: %q is not valid: it %s", spelt(invalid.GetFlag()), invalid.GetValue(), wanted(invalid))
	case errors.As(err, &malformed):
		err = fmt.Errorf("%q is no flag; flags are written --NAME or --NAME=VALUE", malformed.GetSpecifiedFlag())
	}
	return misused(cmd, err)
}

// spelt is a flag as the user writes it.
func spelt(flag *pflag.Flag) string {
	if len(flag.Name) == 1 {
		return "-" + flag.Name
	}
	return "--" + flag.Name
}

// wanted is what the value of a flag has to be.
func wanted(invalid *pflag.InvalidValueError) string {
	if _, ours := invalid.GetFlag().Value.(*flagValue); ours {
		// They say it themselves.
		return errors.Unwrap(invalid).Error()
	}
	switch invalid.GetFlag().Value.Type() {
	case "bool":
		return "must be true or false"
	case "int", "Level":
		return "must be a number"
	}
	return "is not understood: " + errors.Unwrap(invalid).Error()
}

// unknownFlag says which flag was meant, or which verbs have it.
func unknownFlag(cmd *cobra.Command, unknown *pflag.NotExistError) error {
	name, written := unknown.GetSpecifiedName(), "--"+unknown.GetSpecifiedName()
	has := func(cmd *cobra.Command) bool { return cmd.Flags().Lookup(name) != nil }
	if unknown.GetSpecifiedShortnames() != "" {
		written = "-" + name
		has = func(cmd *cobra.Command) bool { return cmd.Flags().ShorthandLookup(name) != nil }
	}
	message := fmt.Sprintf("%s has no flag %s", cmd.CommandPath(), written)
	if meant := habit(cmd, name); meant != "" {
		return fmt.Errorf("%s; %s", message, meant)
	}
	var known, others []string
	cmd.Flags().VisitAll(func(flag *pflag.Flag) {
		if !flag.Hidden && flag.Deprecated == "" {
			known = append(known, flag.Name)
		}
	})
	for _, other := range cmd.Root().Commands() {
		if other != cmd && has(other) {
			others = append(others, other.Name())
		}
	}
	switch near := nearest.Word(name, known); {
	case near != "" && len(name) > 1:
		message += "; did you mean --" + near + "?"
	case len(others) > 0:
		message += fmt.Sprintf("; %s has it", strings.Join(others, ", "))
		if len(others) > 1 {
			message = strings.TrimSuffix(message, " has it") + " have it"
		}
	}
	return errors.New(message)
}

// habit says how a flag of kubectl, kind or helm is called here.
func habit(cmd *cobra.Command, name string) string {
	switch name {
	case "name", "cluster-name":
		return "the Kind cluster's name is --kind-cluster here"
	case "kube-context":
		return "the kube context is --context here"
	case "image", "images":
		switch {
		case cmd.Name() == "load":
			return "write the image without a flag: kubectl e2eimage load IMAGE"
		case cmd.Flags().Lookup("source") != nil:
			return "the image is --source here"
		}
		return "images go by their NAME here, as the record has it"
	case "file":
		if cmd.Flags().Lookup("filename") != nil {
			return "manifests are --filename, or -f"
		}
	case "node":
		if cmd.Flags().Lookup("nodes") != nil {
			return "did you mean --nodes?"
		}
	case "all":
		if strings.Contains(cmd.Use, "NAME") {
			return "without NAME it takes every image of the suite in e2eimage.yaml"
		}
	case "yes", "assume-yes":
		return "no command asks for confirmation"
	}
	return ""
}

// excluding finds flags that were given together and cannot be. Cobra finds them, too,
// but later, and with an error that looks like any other.
func excluding(cmd *cobra.Command) error {
	const exclusive = "cobra_annotation_mutually_exclusive"
	together := map[string][]string{}
	cmd.Flags().Visit(func(flag *pflag.Flag) {
		for _, group := range flag.Annotations[exclusive] {
			together[group] = append(together[group], spelt(flag))
		}
	})
	var mistakes []string
	for _, given := range together {
		if len(given) > 1 {
			mistakes = append(mistakes, strings.Join(given, " and ")+" cannot be given together")
		}
	}
	if len(mistakes) == 0 {
		return nil
	}
	slices.Sort(mistakes)
	return misused(cmd, errors.New(strings.Join(slices.Compact(mistakes), "\n")))
}
