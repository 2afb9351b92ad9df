// Package e2e tests a service on the Kind cluster of the current kube context, with plain
// `go test` and e2e-framework. There is no e2eimage.yaml: Go says what it would say.
package e2e

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"sigs.k8s.io/e2e-framework/pkg/env"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	frameworkfuncs "sigs.k8s.io/e2e-framework/pkg/envfuncs"

	envfuncs "github.com/e2eimage/kubectl-e2eimage/integrations/e2e-framework"
	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// environment is what all tests run in.
var environment env.Environment

func TestMain(m *testing.M) {
	config := envconf.NewWithKubeConfig(os.Getenv("KUBECONFIG"))
	namespace := envconf.RandomName("e2e-framework", 22)
	environment = env.NewWithConfig(config)
	environment.Setup(
		compile,
		frameworkfuncs.CreateNamespace(namespace),
		envfuncs.Define(e2eimage.Options{}, e2eimage.Definition{
			Consumer: namespace,
			Engine:   os.Getenv("E2EIMAGE_ENGINE"),
			Images: []e2eimage.ImageDefinition{{
				Name: "datastorage", Build: &e2eimage.BuildDefinition{Context: service},
			}},
		}),
		envfuncs.Up(e2eimage.Apply("deploy.yaml")),
	)
	environment.Finish(
		envfuncs.Down(e2eimage.RemoveWorkloads()),
		frameworkfuncs.DeleteNamespace(namespace),
	)
	os.Exit(environment.Run(m))
}

// service is the folder that the image is built of.
const service = "../bin/datastorage"

// compile builds the service for an image without a C library.
func compile(ctx context.Context, _ *envconf.Config) (context.Context, error) {
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-o", filepath.Join(service, "datastorage"), "../datastorage")
	build.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux")
	if out, err := build.CombinedOutput(); err != nil {
		return ctx, fmt.Errorf("go build: %w\n%s", err, out)
	}
	dockerfile := "FROM scratch\nCOPY datastorage /datastorage\nENTRYPOINT [\"/datastorage\"]\n"
	return ctx, os.WriteFile(filepath.Join(service, "Dockerfile"), []byte(dockerfile), 0o644)
}
