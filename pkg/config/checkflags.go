package config

// checkFlags reports mistakes in what the command line and variables say.
func (r *resolver) checkFlags() {
	f := r.flags
	c := checker{found: &r.found, at: r.flagPlace}
	c.value("--consumer", f.Consumer, checkName)
	c.value("--kind-cluster", f.KindCluster, checkKindCluster)
	c.value("--registry", f.Registry, checkRegistry)
	c.value("--namespace", f.Namespace, checkName)
	c.value("--engine", f.Engine, checkEngine)
	c.value("--prebuilt", string(f.Prebuilt), checkPrebuilt)
	c.value("--provider", f.Provider, checkEngine)
	for _, name := range f.Names {
		if name == "" {
			c.wrong("NAME", "is empty")
		}
		c.value("NAME", name, checkImageName)
	}
	for _, forOne := range [][2]string{{"--source", f.Source}, {"--repository", f.Repository}, {"--tag", f.Tag}} {
		if forOne[1] != "" && len(f.Names) != 1 {
			c.wrong(forOne[0], "needs exactly one NAME")
		}
	}
	c.value("--source", f.Source, checkNamed)
	c.value("--repository", f.Repository, checkRepository)
	c.value("--tag", f.Tag, checkTag)
	c.value("--tag-template", f.TagTemplate, checkTagTemplate)
	for _, text := range f.Workloads {
		c.value("--workload", text, checkWorkload)
	}
	for _, name := range f.Containers {
		c.value("--container", name, checkName)
	}
	c.value("--pull-policy", f.PullPolicy, checkPullPolicy)
	if f.Timeout != nil && *f.Timeout <= 0 {
		c.wrong("--timeout", "%s must be more than 0, such as 120s", *f.Timeout)
	}
	if f.MaxRestarts != nil {
		c.notNegative("--max-restarts", *f.MaxRestarts)
	}
	if r.doc.path == "" && len(f.Names) == 0 && !f.AnyImages && len(r.found.all) == 0 {
		c.wrong("", "which image? Give its NAME, or write an %s like this:\n%s", fileName, example)
	}
}
