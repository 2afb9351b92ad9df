package config

// checkFlags reports mistakes in what the command line and variables say.
func (r *resolver) checkFlags() {
	f := r.flags
	r.checkFlag("--consumer", f.Consumer, checkName)
	r.checkFlag("--kind-cluster", f.KindCluster, checkKindCluster)
	r.checkFlag("--namespace", f.Namespace, checkName)
	r.checkFlag("--engine", f.Engine, checkEngine)
	r.checkFlag("--prebuilt", string(f.Prebuilt), checkPrebuilt)
	r.checkFlag("--provider", f.Provider, checkEngine)
	for _, name := range f.Names {
		r.checkFlag("NAME", name, checkImageName)
		if name == "" {
			r.found.add(said("NAME"), "is empty")
		}
	}
	for _, forOne := range [][2]string{{"--source", f.Source}, {"--repository", f.Repository}, {"--tag", f.Tag}} {
		if forOne[1] != "" && len(r.names()) != 1 {
			r.found.add(said(forOne[0]), "needs exactly one NAME")
		}
	}
	r.checkFlag("--source", f.Source, checkNamed)
	r.checkFlag("--repository", f.Repository, checkRepository)
	r.checkFlag("--tag", f.Tag, checkTag)
	r.checkFlag("--tag-template", f.TagTemplate, checkTagTemplate)
	for _, text := range f.Workloads {
		r.checkFlag("--workload", text, checkWorkload)
	}
	for _, name := range f.Containers {
		r.checkFlag("--container", name, checkName)
	}
	r.checkFlag("--pull-policy", f.PullPolicy, checkPullPolicy)
	if f.Timeout != nil && *f.Timeout <= 0 {
		r.found.add(said("--timeout"), "%s must be more than 0, such as 120s", *f.Timeout)
	}
	if f.MaxRestarts != nil && *f.MaxRestarts < 0 {
		r.found.add(said("--max-restarts"), "%d must be 0 or more", *f.MaxRestarts)
	}
	if r.doc == nil && len(f.Names) == 0 && !f.AnyImages && len(r.found.all) == 0 {
		r.found.add(place{}, "which image? Give its NAME, or write an %s like this:\n%s", fileName, example)
	}
}

func (r *resolver) checkFlag(flag, value string, check func(string) error) {
	if value == "" {
		return
	}
	if err := check(value); err != nil {
		r.found.add(r.flagPlace(flag), "%v", err)
	}
}
