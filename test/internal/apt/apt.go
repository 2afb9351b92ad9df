// Package apt brings the programs that the test cluster needs on a bare Debian
// or Ubuntu machine, and says what to install by hand everywhere else. It never
// touches a program that is there already.
package apt

import (
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/host"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/statedir"
	"github.com/e2eimage/kubectl-e2eimage/test/internal/steps"
)

// Need is a program that must be there, and Debian's packages that bring it.
// With a File it is that file which must be there, not a program in PATH.
type Need struct {
	Program  string
	File     string
	Packages []string
}

// Ensure installs what is missing.
func Ensure(ctx context.Context, facts host.Facts, log io.Writer, needs ...Need) error {
	packages := missing(needs, present)
	if len(packages) == 0 {
		return nil
	}
	if !facts.Root || !facts.DebianLike {
		return byHand(facts, needs, packages)
	}
	dir, err := statedir.Dir()
	if err != nil {
		return err
	}
	unlock, err := statedir.Lock(ctx, dir, "apt", log)
	if err != nil {
		return err
	}
	defer unlock()
	packages = missing(needs, present)
	if len(packages) == 0 {
		return nil
	}
	what := "installing " + strings.Join(packages, " ")
	err = steps.Do(ctx, log, what, func(ctx context.Context) error { return install(ctx, packages) })
	if err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	if still := missing(needs, present); len(still) > 0 {
		return fmt.Errorf("%s were installed and are still not usable: is PATH complete?", strings.Join(still, " "))
	}
	return nil
}

// install tries the package lists as they are first: they are mostly recent
// enough, and refreshing them is the slow part.
func install(ctx context.Context, packages []string) error {
	env := []string{"DEBIAN_FRONTEND=noninteractive"}
	// Another apt (unattended upgrades) is waited for, not fought.
	base := []string{"apt-get", "-o", "DPkg::Lock::Timeout=300", "--yes"}
	argv := append(append(base[:len(base):len(base)], "install", "--no-install-recommends"), packages...)
	if (command.Cmd{Argv: argv, Env: env}).Run(ctx) == nil {
		return nil
	}
	update := append(base[:len(base):len(base)], "update")
	if err := (command.Cmd{Argv: update, Env: env}).Run(ctx); err != nil {
		return err
	}
	return command.Cmd{Argv: argv, Env: env}.Run(ctx)
}

func missing(needs []Need, present func(Need) bool) []string {
	var packages []string
	for _, n := range needs {
		if !present(n) {
			packages = append(packages, n.Packages...)
		}
	}
	return packages
}

func byHand(facts host.Facts, needs []Need, packages []string) error {
	var programs []string
	for _, n := range needs {
		if !present(n) {
			programs = append(programs, n.name())
		}
	}
	why := "this is not Debian or Ubuntu"
	if facts.DebianLike {
		why = "installing needs root"
	}
	return fmt.Errorf("missing: %s; %s: install them (on Debian: apt-get install --no-install-recommends %s) and try again",
		strings.Join(programs, ", "), why, strings.Join(packages, " "))
}
