package e2eimage

import (
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// everyOption is each option once, by name.
func everyOption() map[string]Option {
	all := map[string]Option{}
	for _, option := range []Option{
		Only("a"), Apply("deploy"), Recursive(), Kustomize("overlay"), Manifests(Manifest{Text: []byte("x")}), ForceConflicts(),
		WithTimeout(time.Second), WithBuildTimeout(time.Minute), WithPrebuilt(config.PrebuiltRequire), Parallel(7), EngineFlags("--pull"),
		SkipBuild(), NewTag(), Prefer(UseLock), AllowStale(), CreateNamespace(), TakeOver(), Replace(), NoWait(), Wait(), Nodes("n"),
		Release(), Stdin(strings.NewReader("x")), WithDryRun(DryRunClient), RemoveWorkloads(), Force(), WithScope(ScopeCluster), Diagnostics("d"),
	} {
		all[option.name] = option
	}
	return all
}

func allVerbs() []Verb {
	return []Verb{VerbUp, VerbBuild, VerbLoad, VerbTag, VerbDeploy, VerbImages, VerbRender, VerbVerify, VerbStatus, VerbDown, VerbDiagnose}
}

func TestEveryOptionIsOfUseToSomeVerbAndRefusedByTheOthers(t *testing.T) {
	t.Parallel()
	used := map[string]bool{"Only": true}
	for _, verb := range allVerbs() {
		for _, name := range verb.uses() {
			if _, known := everyOption()[name]; !known {
				t.Errorf("%s uses %s, which is no option", verb, name)
			}
			used[name] = true
		}
		for name, option := range everyOption() {
			_, err := Choose(verb, option)
			ofUse := name == "Only" || slices.Contains(verb.uses(), name)
			if refused := err != nil && strings.Contains(err.Error(), name+" means nothing to "+string(verb)); refused == ofUse {
				t.Errorf("%s to %s: %v", name, verb, err)
			}
		}
	}
	if unused := slices.DeleteFunc(slices.Collect(maps.Keys(everyOption())), func(name string) bool { return used[name] }); len(unused) > 0 {
		t.Errorf("no verb uses %v", unused)
	}
}

func TestEveryOptionReachesTheInput(t *testing.T) {
	t.Parallel()
	s, manifests := suite("suite", "a", "b"), []Manifest{{Text: []byte("x")}}
	stdin := strings.NewReader("x")
	choose := func(verb Verb, options ...Option) Choices {
		t.Helper()
		choices, err := Choose(verb, options...)
		if err != nil {
			t.Fatal(err)
		}
		return choices
	}
	for name, test := range map[string]struct{ got, want any }{
		"Up": {
			choose(VerbUp, SkipBuild(), Parallel(7), WithBuildTimeout(time.Minute), Prefer(UseLock), AllowStale(), TakeOver(), Replace(), ForceConflicts(), CreateNamespace(), WithDryRun(DryRunClient)).upInput(s, manifests),
			UpInput{Suite: s, SkipBuild: true, Parallel: 7, BuildTimeout: time.Minute, Use: UseLock, AllowStale: true, TakeOver: true, Replace: true, Manifests: manifests, ForceConflicts: true, CreateNamespace: true, DryRun: true},
		},
		"Up by default": {choose(VerbUp, WithDryRun(DryRunNone)).upInput(s, nil), UpInput{Suite: s, BuildTimeout: DefaultBuildTimeout}},
		"Build": {
			choose(VerbBuild, NewTag(), EngineFlags("--pull"), Parallel(7), WithTimeout(time.Minute), WithDryRun(DryRunClient)).buildInput(s),
			BuildInput{Suite: s, New: true, Flags: []string{"--pull"}, Parallel: 7, Timeout: time.Minute, DryRun: true},
		},
		"Build by default": {choose(VerbBuild).buildInput(s), BuildInput{Suite: s, Timeout: DefaultBuildTimeout}},
		"Load": {
			choose(VerbLoad, Stdin(stdin), Nodes("n", "m"), Nodes("o"), Release(), WithDryRun(DryRunClient)).loadInput(s),
			LoadInput{Suite: s, Stdin: stdin, Nodes: []string{"n", "m", "o"}, Release: true, DryRun: true},
		},
		"Tag": {
			choose(VerbTag, NewTag(), Prefer(UseCluster), AllowStale(), CreateNamespace(), WithDryRun(DryRunClient)).tagInput(s),
			TagInput{Suite: s, New: true, Use: UseCluster, AllowStale: true, CreateNamespace: true, DryRun: true},
		},
		"Deploy": {
			choose(VerbDeploy, Prefer(UseLock), AllowStale(), TakeOver(), Replace(), ForceConflicts(), NoWait(), WithDryRun(DryRunServer)).deployInput(s, manifests),
			DeployInput{Suite: s, Manifests: manifests, Use: UseLock, AllowStale: true, TakeOver: true, Replace: true, ForceConflicts: true, NoWait: true, DryRun: DryRunServer},
		},
		"Verify":          {choose(VerbVerify, Wait(), WithTimeout(time.Minute)).verifyInput(s), VerifyInput{Suite: s, Wait: true, Timeout: time.Minute}},
		"Down":            {choose(VerbDown, Force(), WithScope(ScopeCluster)).cleanInput(s), CleanInput{Suite: s, Scope: ScopeCluster, All: true, IgnoreNotFound: true, Force: true}},
		"Down for a part": {choose(VerbDown, Only("a")).cleanInput(s), CleanInput{Suite: s, IgnoreNotFound: true}},
	} {
		if diff := cmp.Diff(test.want, test.got, cmpopts.EquateEmpty(), cmp.Comparer(func(a, b *strings.Reader) bool { return a == b })); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}

func TestAllThatIsWrongWithOptionsIsSaidAtOnce(t *testing.T) {
	t.Parallel()
	_, err := Choose(VerbUp, Prefer("clutser"), WithPrebuilt("maybe"), WithDryRun(DryRunServer), WithTimeout(0), Parallel(-1), Kustomize("k"), Apply("d"), RemoveWorkloads(), Option{})
	is[*UsageError](t, err, `Prefer "clutser" is not known; it is one of ["lock" "cluster"]`, `WithPrebuilt "maybe"`, `WithDryRun "server"`, "WithTimeout 0s",
		"Parallel -1", "Kustomize and Apply", "RemoveWorkloads means nothing to Up", "Option{} says nothing")
	_, err = Choose(VerbDown, WithScope("everything"), RemoveWorkloads())
	is[*UsageError](t, err, `WithScope "everything"`)
	_, err = Choose(VerbDown, WithScope(ScopeHost), RemoveWorkloads())
	is[*UsageError](t, err, "RemoveWorkloads needs the cluster")
	_, err = Choose(VerbUp, Recursive())
	is[*UsageError](t, err, "Recursive is about the folders of Apply")
}
