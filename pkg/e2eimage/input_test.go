package e2eimage

import (
	"context"
	"errors"
	"strings"
	"testing"

	"k8s.io/cli-runtime/pkg/genericclioptions"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// calls are all verbs, with the input that is given and with words that nobody knows.
func calls(c *Client, s config.Suite, word string) map[string]func(context.Context) error {
	second := func(_ any, err error) error { return err }
	return map[string]func(context.Context) error{
		"Build": func(ctx context.Context) error { return second(c.Build(ctx, BuildInput{Suite: s})) },
		"Load":  func(ctx context.Context) error { return second(c.Load(ctx, LoadInput{Suite: s})) },
		"Tag":   func(ctx context.Context) error { return second(c.Tag(ctx, TagInput{Suite: s, Use: Use(word)})) },
		"Deploy": func(ctx context.Context) error {
			return second(c.Deploy(ctx, DeployInput{Suite: s, Use: Use(word), DryRun: DryRun(word)}))
		},
		"Up":     func(ctx context.Context) error { return second(c.Up(ctx, UpInput{Suite: s, Use: Use(word)})) },
		"Ref":    func(ctx context.Context) error { return second(c.Ref(ctx, RefInput{Suite: s, From: Use(word)})) },
		"Render": func(ctx context.Context) error { return second(c.Render(ctx, RenderInput{Suite: s, From: Use(word)})) },
		"Status": func(ctx context.Context) error { return second(c.Status(ctx, StatusInput{Suite: s})) },
		"Verify": func(ctx context.Context) error { return second(c.Verify(ctx, VerifyInput{Suite: s})) },
		"Clean":  func(ctx context.Context) error { return second(c.Clean(ctx, CleanInput{Suite: s, Scope: Scope(word)})) },
		"Known":  func(ctx context.Context) error { return second(c.Known(ctx, KnownInput{Suite: s, Of: Kind(word)})) },
	}
}

// nowhere is a client that cannot connect: what is wrong is found before.
func nowhere(t *testing.T) *Client {
	t.Helper()
	client, err := New(Options{Kube: genericclioptions.NewTestConfigFlags()})
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func TestEveryVerbChecksItsSuiteAndItsWords(t *testing.T) {
	t.Parallel()
	bad := suite("lib-dot.b", "b.c")
	bad.Freshness, bad.Images[0].Tag = "fresh", "-x"
	for name, call := range calls(nowhere(t), bad, "clinet") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call(t.Context())
			var usage *UsageError
			if !errors.As(err, &usage) {
				t.Fatalf("error %v", err)
			}
			wants := []string{`Suite.Consumer: "lib-dot.b"`, `Suite.Images[0].Name: "b.c"`, "Suite.Images[0].Tag", `Suite.Freshness: "fresh"`}
			switch name {
			case "Tag", "Up":
				wants = append(wants, `Use "clinet" is not known; it is one of ["lock" "cluster"]`)
			case "Deploy":
				wants = append(wants, `Use "clinet"`, `DryRun "clinet" is not known; it is one of ["none" "client" "server"]`)
			case "Ref", "Render":
				wants = append(wants, `From "clinet"`)
			case "Clean":
				wants = append(wants, `Scope "clinet"`)
			case "Known":
				wants = append(wants, `Of "clinet"`)
			}
			for _, want := range wants {
				if !strings.Contains(err.Error(), want) {
					t.Errorf("it does not say %s:\n%v", want, err)
				}
			}
		})
	}
}

func TestVerbsThatNeedImagesRefuseASuiteWithoutAny(t *testing.T) {
	t.Parallel()
	for name, call := range calls(newBench(t).client(), config.Suite{Consumer: "c"}, "") {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := call(t.Context())
			refused := as[*UsageError](err) && strings.Contains(err.Error(), "Suite.Images is empty")
			if needs := name != "Status" && name != "Verify" && name != "Known"; refused != needs {
				t.Errorf("error %v", err)
			}
		})
	}
	if err := calls(nowhere(t), config.Suite{}, "")["Known"](t.Context()); !as[*UsageError](err) {
		t.Errorf("Known of nothing: %v", err)
	}
	if _, err := newBench(t).client().Clean(t.Context(), CleanInput{Suite: config.Suite{}, Orphans: true}); err != nil {
		t.Errorf("orphans are of no image: %v", err)
	}
}

func TestAClusterWhoseNameIsNoLabelIsNoConsumer(t *testing.T) {
	t.Parallel()
	s := suite("", "datastorage")
	s.KindCluster, s.LockDir = "lib-dot.b", t.TempDir()
	_, err := nowhere(t).consumerOf(t.Context(), s)
	if !as[*UsageError](err) || !strings.Contains(err.Error(), "--consumer") || !strings.Contains(err.Error(), `"lib-dot.b"`) {
		t.Errorf("error %v", err)
	}
}

func TestWhatCouldNotBeFilledInIsAUsageError(t *testing.T) {
	t.Parallel()
	s := suite("c", "a")
	s.Images[0].Source = `localhost/{{env "X"}}`
	s.Images[0].Unfilled = map[config.Field]config.Problem{config.FieldSource: {Where: "e2eimage.yaml:3", What: "X is not set"}}
	for _, name := range []string{"Build", "Load", "Tag", "Up"} {
		if err := calls(nowhere(t), s, "")[name](t.Context()); !as[*UsageError](err) || !strings.Contains(err.Error(), "e2eimage.yaml:3: X is not set") {
			t.Errorf("%s: error %v", name, err)
		}
	}
}
