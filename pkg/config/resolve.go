package config

import (
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
	r := &resolver{flags: flags, environment: environment, dir: dir}
	path, shown := find(flags, environment, dir, &r.found)
	if path != "" {
		r.base = filepath.Dir(path)
		r.doc = load(path, shown, &r.found)
		if !r.doc.bad[""] {
			r.doc.checkFile()
		}
		r.found.sortByLine()
	}
	usable := len(r.found.all) == 0
	r.read()
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
	unsaid := &resolver{environment: r.environment, dir: r.dir, doc: r.doc, base: r.base}
	if slices.Contains(r.flags.Repeat, "--kind-cluster") {
		unsaid.flags.KindCluster = r.flags.KindCluster
	}
	unsaid.read()
	hints := Hints{Flags: r.flags.Repeat}
	if unsaid.lock.value != "" {
		hints.Lock = absolute(r.dir, unsaid.lock.value)
	}
	if r.doc == nil {
		return hints
	}
	written, ok := unsaid.choose()
	// Variables win over the file, and another terminal may not have them.
	if ok && unsaid.consumer.value == "" {
		hints.Consumer = written.Consumer
	}
	if ok && unsaid.namespace.value == "" {
		hints.Namespace = written.Namespace
	}
	return hints
}

// resolver carries what the steps of Resolve share.
type resolver struct {
	flags       Flags
	environment Environment
	dir         string
	// doc is nil without a config file; base is its folder.
	doc   *document
	base  string
	found problems
	// loose are the images that were given instead of names, by what they are called.
	loose map[string]string
	// What flag or variable say.
	consumer, kindCluster, namespace, engine, prebuilt, lock setting
}

// setting is a value and who said it.
type setting struct{ value, by string }

// read lets flags win over variables. A variable that is overridden is not even
// looked at.
func (r *resolver) read() {
	pick := func(flag, value string, keys ...string) setting {
		if value != "" {
			return setting{value, flag}
		}
		for _, key := range keys {
			if value, ok := r.environment(key); ok && value != "" {
				return setting{value, key}
			}
		}
		return setting{}
	}
	r.consumer = pick("--consumer", r.flags.Consumer, "E2EIMAGE_CONSUMER")
	r.kindCluster = pick("--kind-cluster", r.flags.KindCluster, "E2EIMAGE_KIND_CLUSTER", "KIND_CLUSTER_NAME")
	r.namespace = pick("--namespace", r.flags.Namespace, "E2EIMAGE_NAMESPACE")
	r.engine = pick("--engine", r.flags.Engine, "E2EIMAGE_ENGINE")
	r.prebuilt = pick("--prebuilt", string(r.flags.Prebuilt), "E2EIMAGE_PREBUILT")
	r.lock = pick("--lock", r.flags.Lock, "E2EIMAGE_LOCK")
}

func first(values ...string) string {
	for _, value := range values {
		if value != "" {
			return value
		}
	}
	return ""
}

// suite puts flag, environment, config and default together.
func (r *resolver) suite() Suite {
	hint, _ := r.environment("KIND_EXPERIMENTAL_PROVIDER")
	suite := Suite{
		Consumer: r.consumer.value, KindCluster: r.kindCluster.value, Namespace: r.namespace.value,
		Provider: r.flags.Provider, ProviderHint: hint, Engine: r.engine.value,
		Prebuilt: Prebuilt(first(r.prebuilt.value, string(PrebuiltPrefer))), Freshness: FreshnessWarn,
		KeepPrevious: DefaultKeepPrevious,
	}
	if r.lock.value != "" {
		suite.Lock = absolute(r.dir, r.lock.value)
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
	suite.Consumer = first(suite.Consumer, written.Consumer)
	suite.KindCluster = first(suite.KindCluster, written.KindCluster)
	suite.Namespace = first(suite.Namespace, written.Namespace)
	suite.Engine = first(suite.Engine, r.doc.file.Engine)
	suite.Freshness = Freshness(first(r.doc.file.Freshness, string(suite.Freshness)))
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
