package e2eimage_test

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimagetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// A suite that e2eimage.yaml says, as the command line sees it.
func ExampleOpen() {
	dir, err := os.MkdirTemp("", "example")
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = os.RemoveAll(dir) }()
	text := `
apiVersion: e2eimage.dev/v1alpha1
kind: Config
images: [{name: datastorage, build: {file: docker/datastorage.Dockerfile}}]
suites: [{consumer: gateway}, {consumer: workflowexecution}]
`
	if err := os.WriteFile(filepath.Join(dir, "e2eimage.yaml"), []byte(text), 0o600); err != nil {
		fmt.Println(err)
		return
	}
	suite, err := e2eimage.Open(e2eimage.Options{Dir: dir}, "workflowexecution")
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(suite.Consumer())
	// Output: workflowexecution
}

// A suite without a file. All that is wrong with it is said at once.
func ExampleDefine() {
	_, err := e2eimage.Define(e2eimage.Options{KindCluster: "dev"}, e2eimage.Definition{
		Consumer: "workflowexecution", Engine: "lxc",
		Images: []e2eimage.ImageDefinition{
			{Name: "datastorage", Build: &e2eimage.BuildDefinition{File: "docker/datastorage.Dockerfile"}},
			{Name: "Postgres", External: "docker.io/library/postgres:16"},
		},
	})
	for line := range strings.Lines(fmt.Sprint(err)) {
		where, _, _ := strings.Cut(line, ": ")
		fmt.Println(where)
	}
	fmt.Println(e2eimage.CodeOf(err))
	// Output:
	// Definition.Images[1].Name
	// Definition.Engine
	// Usage
}

// What a BeforeSuite does, here with a suite in memory. Code that takes Verbs need not know.
func ExampleSuite_Up() {
	var suite e2eimage.Verbs = e2eimagetest.New("workflowexecution", "datastorage")

	ctx := context.Background() // an example has no other; a test has t.Context()

	images, err := suite.Up(ctx, e2eimage.Apply("deploy/"), e2eimage.WithPrebuilt("prefer"))
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(images.Image("datastorage"))
	fmt.Println(suite.Down(ctx, e2eimage.RemoveWorkloads()))
	// Output:
	// localhost/datastorage:workflowexecution-00000001
	// <nil>
}

// What something still uses is left.
func ExampleSuite_Down() {
	var suite e2eimage.Verbs = e2eimagetest.New("workflowexecution", "datastorage")
	ctx := context.Background() // an example has no other; a test has t.Context()
	if _, err := suite.Up(ctx); err != nil {
		fmt.Println(err)
		return
	}
	var inUse *e2eimage.InUseError
	if err := suite.Down(ctx); errors.As(err, &inUse) {
		fmt.Println(inUse.Left[0].Workload)
	}
	// Output: deployment.apps/datastorage
}

// As `kind load`, but only what the nodes lack is sent.
func ExampleLoadImages() {
	options := e2eimage.Options{
		KindCluster: "dev", Env: []string{"DOCKER_HOST=unix:///run/user/1000/docker.sock"},
		Reporter: progress.NewLines(os.Stderr, progress.Steps),
	}
	ctx := context.Background() // an example has no other; a test has t.Context()
	loaded, err := e2eimage.LoadImages(ctx, options, "localhost/datastorage:dev", "docker-archive:gateway.tar")
	if err != nil {
		fmt.Println(e2eimage.CodeOf(err), err)
		return
	}
	fmt.Println(loaded.Images[0].Sent, "bytes were sent")
}

// The first process of a suite brings the images up, and the others get them as JSON.
func ExampleImages_JSON() {
	ctx := context.Background() // an example has no other; a test has t.Context()
	first, err := e2eimagetest.New("workflowexecution", "datastorage").Up(ctx)
	if err != nil {
		fmt.Println(err)
		return
	}
	text := first.JSON()

	other, err := e2eimage.ParseImages(text)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(other.Env()[2])
	arguments, err := other.HelmArgs()
	fmt.Println(arguments, err)
	// Output:
	// DATASTORAGE_TAG=workflowexecution-00000001
	// [--set-string image.repository=localhost/datastorage --set-string image.tag=workflowexecution-00000001] <nil>
}

// Each call is kept.
func ExampleVerbs() {
	fake := e2eimagetest.New("workflowexecution", "datastorage")
	fake.Fail(e2eimage.VerbUp, &e2eimage.RolloutError{
		Workload: "deployment.apps/datastorage", Reason: "CrashLoopBackOff", Err: errors.New("it crashes"),
	})
	prepare := func(ctx context.Context, suite e2eimage.Verbs) error {
		_, err := suite.Up(ctx)
		return err
	}
	ctx := context.Background() // an example has no other; a test has t.Context()
	err := prepare(ctx, fake)
	fmt.Println(fake.Called(), e2eimage.CodeOf(err), err)
	// Output: Up Rollout it crashes
}
