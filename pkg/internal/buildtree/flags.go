package buildtree

import (
	"cmp"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Build is what is said of a build by an engine.
type Build struct {
	Engine string
	// Context is a folder, File a Dockerfile or "" for the engine's default.
	Context, File    string
	Target, Platform string
	Args             map[string]string
	// Flags are handed to the engine.
	Flags []string
}

// Inputs are what the outcome of a build depends on.
type Inputs struct {
	Tree Tree
	// Bases are the images that it is built on or takes files from, as they are named.
	Bases []string
	// Others are those of stages that are not needed. Engines without BuildKit build
	// these, too.
	Others []string
	// Unknown says why not all inputs can be known: whether they changed, nobody can
	// tell. "" where they are.
	Unknown string
}

// InputsOf finds out what a build depends on.
func InputsOf(build Build) Inputs {
	in := &Inputs{Tree: Tree{Engine: build.Engine, Context: build.Context}}
	if build.File != "" {
		in.Tree.Dockerfiles = []string{build.File}
	}
	args := map[string]string{}
	maps.Copy(args, build.Args)
	build.Args = args
	in.flags(&build)
	recipe, err := readRecipe(build.Engine, in.Tree.dockerfiles(), build.Args, build.Platform)
	target := 0
	if err == nil {
		target, err = recipe.target(build.Target)
	}
	if err != nil {
		in.unknown("its Dockerfile is not understood: " + err.Error())
		return *in
	}
	needed, others, unknown := recipe.bases(target)
	in.Bases, in.Others = compact(append(in.Bases, needed...)), others
	if unknown != "" {
		in.unknown("its Dockerfile does not tell " + unknown)
	}
	return *in
}

// unknown keeps the first reason.
func (in *Inputs) unknown(why string) { in.Unknown = cmp.Or(in.Unknown, why) }

// Flags of which nothing but their text counts. Others may bring in what nobody can
// compare, or leave something behind at each build.
var (
	plainBooleans = strings.Fields("compress disable-compression disable-content-trust force-rm http-proxy " +
		"identity-label inherit-annotations " +
		"inherit-labels layers load no-hostname no-hosts omit-history q quiet rewrite-timestamp rm skip-unused-stages " +
		"squash squash-all tls-verify")
	plainValues = strings.Fields("add-host allow annotation arch attest authfile builder c cache-from cap-add cap-drop " +
		"cert-dir cgroup-parent cgroupns " +
		"cpu-period cpu-quota cpu-shares cpuset-cpus cpuset-mems creds dns dns-option dns-search format ipc isolation " +
		"jobs label layer-label m memory " +
		"memory-swap network os os-feature os-version pid progress provenance retry retry-delay runtime sbom shm-size " +
		"source-date-epoch timestamp " +
		"ulimit unsetenv unsetlabel userns uts variant")
	// These change what is built, or name files.
	heededValues = strings.Fields("build-arg build-context env f file ignorefile platform secret target")
)

// flags reads what flags add.
func (in *Inputs) flags(build *Build) {
	for i := 0; i < len(build.Flags); i++ {
		name, value, has := cutFlag(build.Flags[i])
		switch {
		case slices.Contains(plainBooleans, name):
			continue
		case (name == "no-cache" || name == "pull") && has && slices.Contains([]string{"false", "never", "missing"}, value):
			continue
		case !slices.Contains(plainValues, name) && !slices.Contains(heededValues, name):
			// Not its value, which may be a secret.
			said, _, _ := strings.Cut(build.Flags[i], "=")
			in.unknown("what " + said + " brings or leaves cannot be compared")
			return
		}
		if !has {
			if i++; i == len(build.Flags) {
				return
			}
			value = build.Flags[i]
		}
		in.flag(build, name, value)
	}
}

// cutFlag takes --name=value, -nvalue and their forms without a value apart.
func cutFlag(flag string) (name, value string, has bool) {
	if long, is := strings.CutPrefix(flag, "--"); is {
		name, value, has = strings.Cut(long, "=")
		return name, value, has
	}
	short, is := strings.CutPrefix(flag, "-")
	if !is || len(short) < 2 {
		return short, "", false
	}
	return short[:1], strings.TrimPrefix(short[1:], "="), true
}

// flag heeds one that changes what is built, or names files.
func (in *Inputs) flag(build *Build, name, value string) {
	switch name {
	case "target":
		build.Target = value
	case "platform":
		build.Platform = value
	case "build-arg":
		key, said, has := strings.Cut(value, "=")
		if build.Args[key] = said; !has {
			in.unknown("the environment says what --build-arg " + key + " is")
		}
	case "env":
		if key, _, has := strings.Cut(value, "="); !has {
			in.unknown("the environment says what --env " + key + " is")
		}
	case "f", "file":
		in.dockerfile(build, value)
	case "ignorefile":
		in.Tree.IgnoreFile = absolute(value)
	case "secret":
		in.secret(value)
	case "build-context":
		_, from, _ := strings.Cut(value, "=")
		in.context(from)
	}
}

// dockerfile is one of several for podman, and takes the place of others for docker.
func (in *Inputs) dockerfile(build *Build, path string) {
	if path == "-" || strings.Contains(path, "://") {
		in.unknown("its Dockerfile is read from " + path)
		return
	}
	full := absolute(path)
	if build.Engine == podman && !filepath.IsAbs(path) {
		if _, err := os.Stat(full); err == nil {
			// It reads this one, and the ignore file of another.
			in.unknown("podman looks for " + path + " in two folders")
		} else {
			full = filepath.Join(build.Context, path)
		}
	}
	if build.Engine == docker {
		in.Tree.Dockerfiles = nil
	}
	in.Tree.Dockerfiles = append(in.Tree.Dockerfiles, full)
}

// secret is a file where it says so.
func (in *Inputs) secret(value string) {
	for field := range strings.SplitSeq(value, ",") {
		key, path, _ := strings.Cut(field, "=")
		if key == "src" || key == "source" {
			in.also(path, "--secret")
			return
		}
	}
	in.unknown("the environment has what --secret hands on")
}

// context is a context beside the one of the build.
func (in *Inputs) context(from string) {
	for _, prefix := range []string{"docker-image://", "container-image://"} {
		if image, is := strings.CutPrefix(from, prefix); is {
			in.Bases = append(in.Bases, image)
			return
		}
	}
	if layout, is := strings.CutPrefix(from, "oci-layout://"); is {
		from, _, _ = strings.Cut(layout, "@")
		if _, err := os.Stat(from); err != nil {
			from = from[:max(0, strings.LastIndexByte(from, ':'))]
		}
	}
	in.also(from, "--build-context")
}

// also counts a file or a folder that a flag names.
func (in *Inputs) also(path, flag string) {
	full := absolute(path)
	if _, err := os.Stat(full); err != nil {
		in.unknown("what " + flag + " has in " + path + " cannot be compared")
		return
	}
	in.Tree.Also = append(in.Tree.Also, full)
}

// absolute is a path as the engine reads it, which runs in this process's folder.
func absolute(path string) string {
	if full, err := filepath.Abs(path); err == nil {
		return full
	}
	return path
}
