package e2e

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
)

// example copies a folder of examples, which is then the user's.
func (u *user) example(name string) string {
	u.t.Helper()
	dir := filepath.Join(u.dir, "examples")
	root, err := filepath.Abs("../../examples")
	if err != nil {
		u.t.Fatal(err)
	}
	for _, one := range []string{name, "datastorage"} {
		if err := os.CopyFS(filepath.Join(dir, one), os.DirFS(filepath.Join(root, one))); err != nil {
			u.t.Fatal(err)
		}
	}
	for _, file := range []string{"go.mod", "go.sum"} {
		text, err := os.ReadFile(filepath.Join(root, "..", file))
		if err != nil {
			u.t.Fatal(err)
		}
		u.write(file, string(text))
	}
	if suite.ordinary != nil && !u.root {
		u.compiled()
	}
	return filepath.Join(dir, name)
}

// compiled gives a user what root has compiled of the examples' service already: with an
// empty build cache each of these tests would compile Go's library for minutes.
func (u *user) compiled() {
	u.write("toolchain/go", "#!/bin/sh\n[ \"$1 $2 $3\" = \"build -trimpath -o\" ] && mkdir -p \"${4%/*}\" && exec cp "+suite.service+" \"$4\"\n")
	dir := filepath.Join(u.dir, "toolchain")
	if err := os.Chmod(filepath.Join(dir, "go"), 0o755); err != nil {
		u.t.Fatal(err)
	}
	u.env = append(slices.Clone(u.env), "PATH="+dir+":"+suite.bin+":"+os.Getenv("PATH"))
}

// run runs a program in a folder.
func (u *user) run(dir string, argv ...string) outcome {
	u.t.Helper()
	command := exec.CommandContext(u.t.Context(), lookIn(u.env, argv[0]), argv[1:]...)
	command.Dir, command.Env = dir, u.env
	return u.finish(command, nil)
}

func TestTheMakefileOfTheExamples(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "NAMESPACE="+u.namespace, "E2EIMAGE_ENGINE="+suite.provider, "E2EIMAGE_CONSUMER=")
	dir := u.example("makefile")
	config, err := os.ReadFile(filepath.Join(dir, "e2eimage.yaml"))
	if err != nil {
		t.Fatal(err)
	}
	// Their own names, since others may run the same on this host.
	own := strings.ReplaceAll(strings.ReplaceAll(string(config), "makefile-", u.namespace+"-"), "consumer: makefile", "consumer: "+u.namespace)
	u.write("examples/makefile/e2eimage.yaml", own)
	u.wipeHost()
	for range 2 {
		result := u.run(dir, "make", "-j", "e2e")
		if result.code != 0 || !strings.Contains(result.stdout, "testing localhost/datastorage:"+u.namespace) || strings.Count(result.stdout, `"service":`) != 2 {
			t.Fatalf("exit %d: %s\n%s", result.code, result.stdout, result.stderr)
		}
	}
	u.write("examples/makefile/Dockerfile", "FROM scratch\nCOPY not-there /\n")
	if result := u.run(dir, "make", "e2e"); result.code == 0 || strings.Contains(result.stdout, "testing") {
		t.Errorf("a build that fails did not stop it: %s", result.stdout)
	}
	if result := u.run(dir, "make", "clean"); result.code != 0 {
		t.Errorf("clean: exit %d: %s", result.code, result.stderr)
	}
	u.nothingLeft("localhost/datastorage:" + u.namespace)
}

func TestTheJobsOfTheExamples(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "ENGINE="+suite.provider)
	dir := u.example("ci")
	artifacts := tempDir(t)
	t.Cleanup(func() {
		for _, name := range u.onHost(context.WithoutCancel(t.Context()), "datastorage:ci-") {
			_ = exec.Command(suite.provider, "image", "rm", name).Run()
		}
		_ = exec.Command(suite.provider, "image", "rm", "localhost/ci-datastorage:dev").Run()
	})
	for range 2 {
		if result := u.run(dir, "./build.sh", artifacts); result.code != 0 {
			t.Fatalf("exit %d: %s", result.code, result.stderr)
		}
	}
	var all sync.WaitGroup
	for range 3 {
		job := newUser(t)
		all.Go(func() {
			result := u.run(dir, "./test.sh", artifacts, job.namespace, job.namespace)
			if result.code != 0 || !strings.Contains(result.stdout, job.namespace+" tests localhost/datastorage:"+job.namespace) {
				t.Errorf("exit %d: %s\n%s", result.code, result.stdout, result.stderr)
			}
		})
	}
	all.Wait()
	if listed, err := os.ReadDir(artifacts); err != nil || len(listed) != 1 {
		t.Errorf("artifacts are %v, %v", listed, err)
	}
}
