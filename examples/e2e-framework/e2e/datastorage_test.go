package e2e

import (
	"context"
	"testing"

	appsv1 "k8s.io/api/apps/v1"
	"sigs.k8s.io/e2e-framework/pkg/envconf"
	"sigs.k8s.io/e2e-framework/pkg/features"

	envfuncs "github.com/e2eimage/kubectl-e2eimage/integrations/e2e-framework"
)

func TestDatastorage(t *testing.T) {
	feature := features.New("datastorage").
		Assess("its deployment has the recorded image", func(ctx context.Context, t *testing.T, config *envconf.Config) context.Context {
			images, err := envfuncs.ImagesFrom(ctx)
			if err != nil {
				t.Fatal(err)
			}
			var deployment appsv1.Deployment
			if err := config.Client().Resources().Get(ctx, "datastorage", config.Namespace(), &deployment); err != nil {
				t.Fatal(err)
			}
			if got := deployment.Spec.Template.Spec.Containers[0].Image; got != images.Image("datastorage") {
				t.Errorf("its image is %s, want %s", got, images.Image("datastorage"))
			}
			return ctx
		}).
		Assess("its pods run that image", func(ctx context.Context, t *testing.T, _ *envconf.Config) context.Context {
			suite, err := envfuncs.SuiteFrom(ctx)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := suite.Verify(ctx); err != nil {
				t.Error(err)
			}
			return ctx
		}).Feature()
	environment.Test(t, feature)
}
