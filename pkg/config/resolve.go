package config

import (
	"cmp"
	"path/filepath"
	"slices"
)

// Resolve works out the suite that a command is about. dir is the working
// folder. Everything that is wrong with the input comes in one *UsageError.
// What only some verbs need is not demanded here; see Image.Need.
func Resolve(flags Flags, environment Environment, dir string) (Suite, error) {
	if environment == nil {
		environment = func(string) (string, bool) { return "", false }
	}
	r := &resolver{environment: environment, dir: dir}
	r.flags, r.variables = flags.withVariables(environment)
	path, shown := find(r.flags.ConfigPath, r.flagPlace("--config"), dir, &r.found)
	if path != "" {
		r.base = filepath.Dir(path)
		r.doc = load(path, shown, &r.found)
		if !r.doc.bad[""] {
			r.doc.checkFile()
		}
		r.found.sortByLine()
	}
	usable := len(r.found.all) == 0
	if flags.NamesOrImages && flags.Source == "" && usable {
		r.tellApart()
	}
	r.checkFlags()
	if !usable {
		return Suite{}, r.found.err()
	}
	suite := r.suite()
	if err := r.found.err(); err != nil {
		return Suite{}, err
	}
	suite.File = path
	suite.Hints = r.hints()
	return suite, nil
}

// hints are what a command without flags works on, as far as the file says it.
func (r *resolver) hints() Hints {
	flags := Flags{}
	if slices.Contains(r.flags.Repeat, "--kind-cluster") {
		flags.KindCluster = r.flags.KindCluster
	}
	flags, _ = flags.withVariables(r.environment)
	without := &resolver{flags: flags, environment: r.environment, dir: r.dir, doc: r.doc, base: r.base}
	hints := Hints{Flags: r.flags.Repeat}
	if flags.Lock != "" {
		hints.Lock = absolute(r.dir, flags.Lock)
	}
	if r.doc == nil {
		return hints
	}
	written, ok := without.choose()
	// Variables win over the file, and another terminal may not have them.
	if ok && flags.Consumer == "" {
		hints.Consumer = written.Consumer
	}
	if ok && flags.Namespace == "" {
		hints.Namespace = written.Namespace
	}
	return hints
}

// resolver carries what the steps of Resolve share.
type resolver struct {
	// flags with what variables say; the variables that did, by their flag.
	flags       Flags
	variables   map[string]string
	environment Environment
	dir         string
	// doc is nil without a config file; base is its folder.
	doc   *document
	base  string
	found problems
	// loose are the images that were given instead of names, by what they are called.
	loose map[string]string
}

// flagPlace is where a flag's value stands: the flag, or the variable that says it.
func (r *resolver) flagPlace(flag string) place { return said(cmp.Or(r.variables[flag], flag)) }

// suite puts flag, environment, config and default together.
func (r *resolver) suite() Suite {
	f := r.flags
	hint, _ := r.environment(kindProvider)
	suite := Suite{
		Consumer: f.Consumer, KindCluster: f.KindCluster, Namespace: f.Namespace,
		Provider: f.Provider, ProviderHint: hint, Engine: f.Engine,
		Prebuilt: cmp.Or(f.Prebuilt, PrebuiltPrefer), Freshness: FreshnessWarn,
		KeepPrevious: DefaultKeepPrevious,
	}
	if f.Lock != "" {
		suite.Lock = absolute(r.dir, f.Lock)
	}
	if r.doc == nil {
		for _, name := range r.names() {
			suite.Images = append(suite.Images, r.image(fileImage{Name: name}, suite.Consumer))
		}
		return suite
	}
	written, ok := r.choose()
	if !ok {
		return suite
	}
	suite.Consumer = cmp.Or(suite.Consumer, written.Consumer)
	suite.KindCluster = cmp.Or(suite.KindCluster, written.KindCluster)
	suite.Namespace = cmp.Or(suite.Namespace, written.Namespace)
	suite.Engine = cmp.Or(suite.Engine, r.doc.file.Engine)
	suite.Freshness = cmp.Or(Freshness(r.doc.file.Freshness), suite.Freshness)
	if keep := r.doc.file.KeepPrevious; keep != nil {
		suite.KeepPrevious = *keep
	}
	suite.LockDir = filepath.Join(r.base, lockFolder)
	suite.TagGroup, suite.Helm = written.TagGroup, written.Helm
	suite.Part = len(r.flags.Names) > 0
	chosen, others := r.chosenImages(written)
	for _, image := range chosen {
		suite.Images = append(suite.Images, r.image(image, suite.Consumer))
	}
	for _, image := range others {
		suite.Others = append(suite.Others, r.image(image, suite.Consumer))
	}
	return suite
}
