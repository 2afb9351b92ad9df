package cli

import (
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
)

// flagValue binds a flag to a field. What its set refuses reads on behind "it": "must be ...".
type flagValue struct {
	kind string
	get  func() string
	set  func(word string) error
	// words are offered by the shell.
	words []string
}

var _ pflag.Value = (*flagValue)(nil)

func (f *flagValue) Type() string          { return f.kind }
func (f *flagValue) String() string        { return f.get() }
func (f *flagValue) Set(word string) error { return f.set(word) }

// bind adds a flag with such a value to a command.
func bind(cmd *cobra.Command, value *flagValue, name, usage string) {
	cmd.Flags().Var(value, name, usage)
	offerWords(cmd, name, value.words)
}

// offerWords completes a flag from a list.
func offerWords(cmd *cobra.Command, name string, words []string) {
	if len(words) > 0 {
		// It fails only for a flag that the command does not have.
		_ = cmd.RegisterFlagCompletionFunc(name, cobra.FixedCompletions(words, cobra.ShellCompDirectiveNoFileComp))
	}
}

// enumFlag takes one of several words.
func enumFlag[T ~string](value *T, words ...T) *flagValue {
	flag := &flagValue{kind: "string", get: func() string { return string(*value) }}
	for _, word := range words {
		flag.words = append(flag.words, string(word))
	}
	flag.set = func(word string) error {
		if !slices.Contains(flag.words, word) {
			return fmt.Errorf("must be one of %q", flag.words)
		}
		*value = T(word)
		return nil
	}
	return flag
}

// durationFlag takes a duration from 0 on.
func durationFlag(value *time.Duration) *flagValue { return durationFrom(value, 0) }

// positiveDuration takes a duration of more than 0. One of 0 is not given.
func positiveDuration(value *time.Duration) *flagValue { return durationFrom(value, 1) }

func durationFrom(value *time.Duration, least time.Duration) *flagValue {
	get := func() string {
		if *value < least {
			return ""
		}
		return value.String()
	}
	return &flagValue{kind: "duration", get: get, set: func(word string) error {
		parsed, err := time.ParseDuration(word)
		switch {
		case err != nil:
			return errors.New("must be a duration like 90s or 5m")
		case parsed < least:
			return errors.New("must be more than 0")
		case parsed < 0:
			return errors.New("must not be negative")
		}
		*value = parsed
		return nil
	}}
}

// countFlag takes a number from 0 on.
func countFlag(value *int) *flagValue {
	get := func() string { return strconv.Itoa(*value) }
	return &flagValue{kind: "int", get: get, set: func(word string) error {
		number, err := strconv.Atoi(word)
		if err != nil || number < 0 {
			return errors.New("must be a number from 0 on")
		}
		*value = number
		return nil
	}}
}

// optional binds a flag to a pointer that is nil while the flag is not given.
func optional[T any](value **T, flagOf func(*T) *flagValue) *flagValue {
	given := new(T)
	inner := flagOf(given)
	get := func() string {
		if *value == nil {
			return ""
		}
		return inner.get()
	}
	return &flagValue{kind: inner.kind, get: get, set: func(word string) error {
		err := inner.set(word)
		if err == nil {
			*value = given
		}
		return err
	}}
}
