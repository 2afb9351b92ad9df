package config

import (
	"errors"
	"strings"
	"testing"
)

func TestAllThatIsWrongWithASuiteMadeByHandIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	suite := Suite{
		Consumer: "lib-dot.b", KindCluster: "Kind_1", Namespace: "a.b", TagGroup: "A", Provider: "lxc", Engine: "lxc", Prebuilt: "perhaps", Freshness: "stale",
		KeepPrevious: -1, Helm: map[string]string{"a=b": "x"},
		Images: []Image{
			{},
			{Name: "b.c", Source: "UPPER:x", Repository: "localhost/x:tag", Prebuilt: "sha256:1", Tag: "-x", TagTemplate: "{{.Nope}}", Build: &Build{Platform: "all", Command: []string{""}}},
			{Name: "twice"},
			{Name: "twice", External: "docker.io/library/postgres:16", Source: "localhost/x:y", Deploy: Deploy{Workloads: []string{"x"}, Containers: []string{"A"}, PullPolicy: "Always", MaxRestarts: -1, Timeout: -1}},
		},
	}
	err := suite.Check()
	var usage *UsageError
	if !errors.As(err, &usage) {
		t.Fatalf("error %v", err)
	}
	for _, where := range []string{
		"Consumer", "KindCluster", "Namespace", "TagGroup", "Provider", "Engine", "Prebuilt", "Freshness", "KeepPrevious", `Helm["a=b"]`,
		"Images[0].Name", "Images[1].Name", "Images[1].Source", "Images[1].Repository", "Images[1].Prebuilt", "Images[1].Tag", "Images[1].TagTemplate",
		"Images[1].Build", "Images[1].Build.Platform", "Images[1].Build.Command[0]", "Images[3].Name", "Images[3].External", "Images[3].Deploy.Workloads[0]",
		"Images[3].Deploy.Containers[0]", "Images[3].Deploy.PullPolicy", "Images[3].Deploy.MaxRestarts", "Images[3].Deploy.Timeout",
	} {
		if !strings.Contains(err.Error(), "Suite."+where+": ") {
			t.Errorf("it does not speak of %s", where)
		}
	}
	if len(usage.Problems) != 27 {
		t.Errorf("%d problems:\n%v", len(usage.Problems), err)
	}
}

func TestASuiteMadeByHandIsCheckedLikeAFile(t *testing.T) {
	t.Parallel()
	for want, suite := range map[string]Suite{
		`Suite.Helm["image.tag"]: template "{{.Tga}}" uses .Tga, which is not known here; did you mean "Tag"?`: {
			Helm: map[string]string{"image.tag": "{{.Tga}}"},
		},
		`Suite.Images[0].Build.Args["version"]: template "{{": unclosed action`: {
			Images: []Image{{Name: "a", Build: &Build{Args: map[string]string{"version": "{{"}}}},
		},
		`Suite.Images[0].Build.Flags["args.x y"]: no such engine; known are docker, podman`: {
			Images: []Image{{Name: "a", Build: &Build{Flags: map[string][]string{"args.x y": nil}}}},
		},
		"Suite.Images[0].Deploy.Containers[0]: is empty": {
			Images: []Image{{Name: "a", Deploy: Deploy{Containers: []string{""}}}},
		},
		`Suite.Images[0].Source: source "{{.Name}}" is neither an image reference`: {
			Images: []Image{{Name: "a", Source: "{{.Name}}"}},
		},
	} {
		if err := suite.Check(); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
}

func TestGoodSuitesAreGood(t *testing.T) {
	t.Parallel()
	resolved, err := Resolve(Flags{KindCluster: "workflowexecution-e2e"}, variables{}.lookup, workplace(t, twoImages+"consumer: c\n"))
	if err != nil {
		t.Fatal(err)
	}
	unfilled := Image{Name: "a", Source: `localhost/{{env "X"}}:dev`, Unfilled: map[Field]Problem{FieldSource: {What: "X is not set"}}}
	for name, suite := range map[string]Suite{
		"empty": {}, "resolved": resolved, "unfilled": {Images: []Image{unfilled}},
		"by hand": {Consumer: "a", Images: []Image{{Name: "a", Source: "localhost/a:dev"}, {Name: "b", External: "docker.io/library/postgres:16"}, {Name: "c", Source: "docker-archive:/tmp/a b.tar"}}},
	} {
		if err := suite.Check(); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}
