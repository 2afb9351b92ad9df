package config

import (
	"cmp"
	"slices"
)

// Resolve works out the suite that a command is about. dir is the working folder, and a nil
// environment has no variables. Everything that is wrong with the input comes in one *UsageError.
// What only some verbs need is not demanded here; see Image.Need.
func Resolve(flags Flags, environment Environment, dir string) (Suite, error) {
	if environment == nil {
		environment = func(string) (string, bool) { return "", false }
	}
	r := &resolver{environment: environment, dir: dir}

	// Read.
	r.flags, r.variables = flags.withVariables(environment)
	r.doc = read(r.flags.ConfigPath, r.flagPlace("--config"), dir, &r.found)

	// Check.
	if r.doc.path != "" {
		r.doc.check()
	}
	r.found.sortByLine()
	goodFile := len(r.found.all) == 0
	if goodFile && flags.NamesOrImages && flags.Source == "" {
		r.tellImagesFromNames()
	}
	r.flags.Names = eachOnce(r.flags.Names)
	r.checkFlags()
	if !goodFile {
		return Suite{}, r.found.err()
	}

	// Resolve.
	suite := r.suite()
	if err := r.found.err(); err != nil {
		return Suite{}, err
	}
	suite.Hints = r.hints()
	return suite, nil
}

// resolver carries what the steps of Resolve share.
type resolver struct {
	// flags with what variables say; the variables that did, by their flag.
	flags       Flags
	variables   map[string]string
	environment Environment
	dir         string
	doc         *document
	found       problems
	// loose are the images that were given instead of names, by what they are called.
	loose map[string]string
}

// flagPlace is where a flag's value stands: the flag, or the variable that says it.
func (r *resolver) flagPlace(flag string) place { return place{where: cmp.Or(r.variables[flag], flag)} }

// eachOnce leaves the order as it is.
func eachOnce(names []string) []string {
	var once []string
	for _, name := range names {
		if !slices.Contains(once, name) {
			once = append(once, name)
		}
	}
	return once
}

// hints are what a command without flags works on, as far as the file says it.
func (r *resolver) hints() Hints {
	flags := Flags{}
	if slices.Contains(r.flags.Repeat, "--kind-cluster") {
		flags.KindCluster = r.flags.KindCluster
	}
	flags, _ = flags.withVariables(r.environment)
	hints := Hints{Flags: r.flags.Repeat}
	if flags.Lock != "" {
		hints.Lock = absolute(r.dir, flags.Lock)
	}
	without := &resolver{flags: flags, environment: r.environment, dir: r.dir, doc: r.doc}
	if written, ok := without.chooseSuite(); ok {
		// Variables win over the file, and another terminal may not have them.
		if flags.Consumer == "" {
			hints.Consumer = written.Consumer
		}
		if flags.Namespace == "" {
			hints.Namespace = written.Namespace
		}
	}
	return hints
}
