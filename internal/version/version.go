// Package version knows which version of this module runs. It must not know who asks.
package version

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

const (
	module  = "github.com/e2eimage/kubectl-e2eimage"
	program = "kubectl-e2eimage"
	// unreleased is the version where the go command noted none: a build from a folder
	// that is no Git checkout, or with -buildvcs=false.
	unreleased = "devel"
)

// Info is a version, with the keys that kubectl has for its own.
type Info struct {
	Version string `json:"gitVersion"`
	// Commit, TreeState and CommitDate are empty where a proxy gave the module: it knows
	// versions only.
	Commit string `json:"gitCommit,omitempty"`
	// TreeState is clean, or dirty where files differed from the commit.
	TreeState  string `json:"gitTreeState,omitempty"`
	CommitDate string `json:"commitDate,omitempty"`
	GoVersion  string `json:"goVersion"`
	Compiler   string `json:"compiler"`
	Platform   string `json:"platform"`
}

// Read returns the version that the go command noted in this binary: `go install` notes
// the module's version, a build in a checkout what Git says of it.
func Read() Info {
	build, ok := debug.ReadBuildInfo()
	if !ok {
		build = &debug.BuildInfo{}
	}
	return read(build)
}

func read(build *debug.BuildInfo) Info {
	info := Info{
		Version: unreleased, GoVersion: runtime.Version(), Compiler: runtime.Compiler,
		Platform: runtime.GOOS + "/" + runtime.GOARCH,
	}
	if build.Main.Path != module {
		// A program that uses the library: the commit is that of the program.
		for _, used := range build.Deps {
			if used.Path == module {
				info.setVersion(used)
			}
		}
		return info
	}
	info.setVersion(&build.Main)
	for _, setting := range build.Settings {
		switch setting.Key {
		case "vcs.revision":
			info.Commit = setting.Value
		case "vcs.time":
			info.CommitDate = setting.Value
		case "vcs.modified":
			info.TreeState = map[string]string{"true": "dirty", "false": "clean"}[setting.Value]
		}
	}
	return info
}

func (i *Info) setVersion(of *debug.Module) {
	if of.Replace != nil {
		of = of.Replace
	}
	if of.Version != "" && of.Version != "(devel)" {
		i.Version = of.Version
	}
}

// String is one line for people.
func (i Info) String() string {
	return fmt.Sprintf("%s %s (%s, %s)", program, i.Version, i.GoVersion, i.Platform)
}

// UserAgent is what API servers note in their logs, in the form of kubectl's.
func (i Info) UserAgent() string {
	agent := fmt.Sprintf("%s/%s (%s)", program, i.Version, i.Platform)
	if i.Commit != "" {
		agent += " git/" + i.Commit[:min(len(i.Commit), 12)]
	}
	return agent
}
