package buildtree

import (
	"path/filepath"
	"testing"
)

// Of each ignore file, a file of its own is left out.
func TestTheIgnoreFileThatTheEngineReads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		tree  Tree
		files []string
		reads string
	}{
		"docker's":                      {Tree{Engine: docker}, []string{".dockerignore", ".containerignore"}, ".dockerignore"},
		"docker has one":                {Tree{Engine: docker}, []string{".containerignore"}, ""},
		"podman's":                      {Tree{Engine: podman}, []string{".dockerignore", ".containerignore"}, ".containerignore"},
		"podman reads docker's":         {Tree{Engine: podman}, []string{".dockerignore"}, ".dockerignore"},
		"the Dockerfile's own":          {Tree{Engine: docker}, []string{".dockerignore", "Dockerfile.dockerignore"}, "Dockerfile.dockerignore"},
		"the Dockerfile's own, outside": {Tree{Engine: docker, Dockerfiles: []string{"../file/Dockerfile"}}, []string{".dockerignore", "../file/Dockerfile.dockerignore"}, "../file/Dockerfile.dockerignore"},
		"the Dockerfile's own where docker may not":  {Tree{Engine: docker, Legacy: true}, []string{"Dockerfile.dockerignore"}, ""},
		"the Dockerfile's own, podman":               {Tree{Engine: podman}, []string{".containerignore", "Dockerfile.containerignore"}, "Dockerfile.containerignore"},
		"the Dockerfile's own for docker and podman": {Tree{Engine: podman}, []string{"Dockerfile.dockerignore", "Dockerfile.containerignore"}, "Dockerfile.dockerignore"},
		"what podman takes instead":                  {Tree{Engine: podman, IgnoreFile: "mine"}, []string{".containerignore", "mine"}, "mine"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := filepath.Join(t.TempDir(), "context")
			write(t, dir, "Dockerfile", "FROM scratch\n")
			tree := test.tree
			tree.Context = dir
			for i, path := range tree.Dockerfiles {
				write(t, dir, path, "FROM scratch\n")
				tree.Dockerfiles = []string{filepath.Join(dir, path)}[:i+1]
			}
			if tree.IgnoreFile != "" {
				tree.IgnoreFile = filepath.Join(dir, tree.IgnoreFile)
			}
			for _, path := range test.files {
				write(t, dir, path, filepath.Base(path)+".left\n")
			}
			for _, path := range append(test.files, "none") {
				left := filepath.Base(path) + ".left"
				_, before := digests(t, tree)
				write(t, dir, left, "x")
				_, after := digests(t, tree)
				if (before == after) != (path == test.reads) {
					t.Errorf("what %s leaves out is left out: %v", path, before == after)
				}
				remove(t, dir, left)
			}
		})
	}
}

func TestOnlyWhatBothOfDockersBuildersLeaveOutIsLeftOut(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	write(t, dir, "Dockerfile", "FROM scratch\n")
	write(t, dir, "Dockerfile.dockerignore", "both\nfirst\n")
	write(t, dir, ".dockerignore", "both\nsecond\n")
	tree := Tree{Engine: docker, Legacy: true, Context: dir}
	for name, counts := range map[string]bool{"both": false, "first": true, "second": true} {
		_, before := digests(t, tree)
		write(t, dir, name, "x")
		if _, after := digests(t, tree); (before != after) != counts {
			t.Errorf("%s counts: %v", name, before != after)
		}
	}
}

func TestTheDockerfileThatTheEngineReads(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine string
		files  []string
		reads  string
	}{
		"docker":                       {docker, []string{"Dockerfile", "Containerfile"}, "Dockerfile"},
		"docker, in lowercase letters": {docker, []string{"dockerfile"}, "dockerfile"},
		"docker has none":              {docker, []string{"Containerfile"}, ""},
		"podman":                       {podman, []string{"Dockerfile", "Containerfile"}, "Containerfile"},
		"podman reads docker's":        {podman, []string{"Dockerfile"}, "Dockerfile"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			for _, path := range test.files {
				write(t, dir, path, "FROM "+filepath.Base(path)+"\n")
			}
			var want []string
			if test.reads != "" {
				want = []string{filepath.Join(dir, test.reads)}
			}
			got := Tree{Engine: test.engine, Context: dir}.dockerfiles()
			if len(got) != len(want) || len(got) == 1 && got[0] != want[0] {
				t.Errorf("it reads %v, want %v", got, want)
			}
		})
	}
}
