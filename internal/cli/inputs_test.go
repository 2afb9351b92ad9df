package cli

import (
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"github.com/spf13/pflag"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// inputTest is a command line, and what the library has to get for it. DIR is the working
// folder, which has the file as its e2eimage.yaml.
type inputTest[In any] struct {
	line, file  string
	environment map[string]string
	want        In
}

// becomeInputs carries out each command line and compares what the library got, but for the
// ignored fields.
func becomeInputs[In any](t *testing.T, tests map[string]inputTest[In], got func(*library) []In, ignored ...string) {
	t.Helper()
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.environment = test.environment
			c.config(test.file)
			c.done(test.line)
			want := test.want
			suite := reflect.ValueOf(&want).Elem().FieldByName("Suite")
			suite.Set(reflect.ValueOf(suiteInDir(suite.Interface().(config.Suite), c.dir)))
			if diff := cmp.Diff([]In{want}, got(&c.library), cmpopts.IgnoreFields(want, append(ignored, "Suite.Hints")...),
				cmpopts.EquateEmpty()); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const suitesFile = `apiVersion: e2eimage.dev/v1alpha1
kind: Config
tag: "{{.Name}}-{{.Random}}"
images:
- name: datastorage
  source: localhost/kubernaut-datastorage:e2e
  repository: localhost/storage
  deploy: {workloads: [statefulset/storage, other/deployment/reader], containers: [server], pullPolicy: IfNotPresent, timeout: 5m, maxRestarts: 7}
- {name: gateway, source: "docker-archive:out/gateway.tar"}
- {name: postgres, external: "docker.io/library/postgres:16"}
suites:
- {consumer: workflow, kindCluster: workflow-e2e, namespace: kubernaut-system, images: [gateway, datastorage, postgres]}
- {consumer: full, kindCluster: full-e2e, namespace: kubernaut-system, images: [datastorage], helm: {global.image.tag: "{{.Tag}}"}}
`

// plain is an image that nothing is said about but its name.
func plain(name string) config.Image {
	return config.Image{Name: name, TagTemplate: config.DefaultTagTemplate, Deploy: config.Deploy{
		Workloads: []string{"deployment/" + name}, Timeout: config.DefaultTimeout, MaxRestarts: config.DefaultMaxRestarts,
	}}
}

// with changes an image.
func with(image config.Image, change func(*config.Image)) config.Image {
	change(&image)
	return image
}

func storage() config.Image {
	return config.Image{
		Name: "datastorage", Source: "localhost/kubernaut-datastorage:e2e", Repository: "localhost/storage",
		TagTemplate: "{{.Name}}-{{.Random}}",
		Deploy: config.Deploy{
			Workloads: []string{"statefulset/storage", "other/deployment/reader"}, Containers: []string{"server"},
			PullPolicy: "IfNotPresent", Timeout: 5 * time.Minute, MaxRestarts: 7,
		},
	}
}

// suiteInDir is a suite as it is resolved in a working folder, which a test wrote DIR for.
func suiteInDir(suite config.Suite, dir string) config.Suite {
	suite.File, suite.Lock = strings.Replace(suite.File, "DIR", dir, 1), strings.Replace(suite.Lock, "DIR", dir, 1)
	if suite.File != "" && suite.LockDir == "" {
		suite.LockDir = filepath.Join(filepath.Dir(suite.File), ".e2eimage")
	}
	if suite.Prebuilt == "" {
		suite.Prebuilt = config.PrebuiltPrefer
	}
	suite.Freshness, suite.KeepPrevious = config.FreshnessWarn, config.DefaultKeepPrevious
	suite.Images = slices.Clone(suite.Images)
	for i := range suite.Images {
		suite.Images[i].Source = strings.Replace(suite.Images[i].Source, "DIR", dir, 1)
	}
	return suite
}

func TestEveryCommonFlagReachesTheConfig(t *testing.T) {
	t.Parallel()
	var common commonFlags
	flags := pflag.NewFlagSet("", pflag.ContinueOnError)
	common.add(flags)
	flags.VisitAll(func(flag *pflag.Flag) {
		a := newApp(Host{})
		root := a.root()
		without := a.withCommon(config.Flags{})
		if err := root.PersistentFlags().Set(flag.Name, "true"); err != nil {
			t.Fatal(err)
		}
		if flag.Name != "quiet" && reflect.DeepEqual(without, a.withCommon(config.Flags{})) {
			t.Errorf("--%s changes nothing", flag.Name)
		}
	})
}
