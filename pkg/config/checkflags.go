package config

// checkFlags reports mistakes in what the command line and variables say.
func (r *resolver) checkFlags() {
	f := r.flags
	r.checkSaid(r.consumer, checkName)
	r.checkSaid(r.kindCluster, checkKindCluster)
	r.checkSaid(r.namespace, checkName)
	r.checkSaid(r.engine, checkEngine)
	r.checkSaid(r.prebuilt, checkPrebuilt)
	r.checkSaid(setting{f.Provider, "--provider"}, checkEngine)
	for _, name := range f.Names {
		r.checkSaid(setting{name, "NAME"}, checkImageName)
		if name == "" {
			r.found.add(said("NAME"), "is empty")
		}
	}
	for _, forOne := range []setting{{f.Source, "--source"}, {f.Repository, "--repository"}, {f.Tag, "--tag"}} {
		if forOne.value != "" && len(r.names()) != 1 {
			r.found.add(said(forOne.by), "needs exactly one NAME")
		}
	}
	r.checkSaid(setting{f.Source, "--source"}, checkNamed)
	r.checkSaid(setting{f.Repository, "--repository"}, checkRepository)
	r.checkSaid(setting{f.Tag, "--tag"}, checkTag)
	r.checkSaid(setting{f.TagTemplate, "--tag-template"}, checkTagTemplate)
	r.checkDeployFlags()
	if r.doc == nil && len(f.Names) == 0 && !f.AnyImages && len(r.found.all) == 0 {
		r.found.add(place{}, "which image? Give its NAME, or write an %s like this:\n%s", fileName, example)
	}
}

func (r *resolver) checkDeployFlags() {
	f := r.flags
	for _, text := range f.Workloads {
		r.checkSaid(setting{text, "--workload"}, checkWorkload)
	}
	for _, name := range f.Containers {
		r.checkSaid(setting{name, "--container"}, checkName)
	}
	r.checkSaid(setting{f.PullPolicy, "--pull-policy"}, checkPullPolicy)
	if f.Timeout != nil && *f.Timeout <= 0 {
		r.found.add(said("--timeout"), "%s must be more than 0, such as 120s", *f.Timeout)
	}
	if f.MaxRestarts != nil && *f.MaxRestarts < 0 {
		r.found.add(said("--max-restarts"), "%d must be 0 or more", *f.MaxRestarts)
	}
}

func (r *resolver) checkSaid(what setting, check func(string) error) {
	if what.value == "" {
		return
	}
	if err := check(what.value); err != nil {
		r.found.add(said(what.by), "%v", err)
	}
}
