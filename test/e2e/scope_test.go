package e2e

import (
	"flag"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/kindtest"
)

// everyEngine are the tests of what engines and nodes do. They run on each provider.
// What the others are about (records, configuration, rendering, rollouts, the API) is
// the same on all of them, and so is what a node has of an archive: one provider is enough.
func everyEngine() []string {
	return []string{
		"TestABuildThatFailsLeavesNothing",
		"TestACommandBuildsWhatItLeavesUnderTheSource",
		"TestADryRunOfLoadSaysWhatWouldBeSent",
		"TestALayerThatIsCollectedAfterThePlanIsSent",
		"TestALoadBalancerIsNoNode",
		"TestANodeThatFailsDoesNotKeepTheOthersFromTheImage",
		"TestANodeThatGoesAwayWhileItIsLoaded",
		"TestANodeThatIsPausedOrStopped",
		"TestANodesDiskThatIsFullIsSaid",
		"TestAPruneBetweenBuildAndLoadTakesNothing",
		"TestAReferenceThatAnotherSuiteOverwroteIsSaid",
		"TestAnAdoptedImageOfTheEngineIsNotRemoved",
		"TestAnEngineWhoseDaemonIsDown",
		"TestAnEnginesImageIsSentOnceAndHealsNodesLater",
		"TestAnImageForAnotherPlatformIsNotLoaded",
		"TestAnImageThatANodeLostIsHealed",
		"TestAnInterruptedBuildLeavesNothing",
		"TestBuildArgumentsArriveAsTheyAreAndSecretsStaySecret",
		"TestCleanInterruptedAtAnyStep",
		"TestCleanSaysHowMuchDiskCameBackOnEachNode",
		"TestCleanTakesWhatBuildsLeftOnTheHost",
		"TestLoadInterruptedAtAnyStep",
		"TestLoadOfWhatIsThereAddsTheNameOnly",
		"TestLoadSendsOnlyTheLayerThatChanged",
		"TestLoadTakesImagesFromEverywhere",
		"TestNodesAreReachedByExecWhereTheirProcessesAreNotThere",
		"TestOneTagFromTheBuildToThePod",
		"TestPrebuiltImagesAreAdoptedAndStay",
		"TestReleaseTakesTheImageOutOfTheEngine",
		"TestRetagOnceRecordDeployProve",
		"TestRootlessPodmanThroughAllVerbs",
		"TestRoundsLeaveNothingBehind",
		"TestSuitesThatShareAReferenceDeployTheirOwnCode",
		"TestTagInterruptedAtAnyStep",
		"TestTheEngineThroughAllVerbs",
		"TestTheEngineOfTheImageNeedNotBeTheOneOfTheCluster",
		"TestTheJobsOfTheExamples",
		"TestTheMakefileOfTheExamples",
		"TestTwoLoadsOfOneImageAtOnce",
		"TestUpRepeatsNothingThatIsTrue",
		"TestWhatWasRebuiltButNotLoadedIsNotDeployed",
	}
}

// mainFlow are the tests of what everybody does first.
func mainFlow() []string {
	return []string{
		"TestCleanLeavesWhatRunsAndFreesWhatNobodyNames",
		"TestLoadSendsOnlyTheLayerThatChanged",
		"TestManifestsAreAppliedWithTheImageInThem",
		"TestOneTagFromTheBuildToThePod",
		"TestRetagOnceRecordDeployProve",
		"TestStatusAndVerifySayWhatDoesNotAgree",
		"TestWhatWasRebuiltButNotLoadedIsNotDeployed",
	}
}

// dockerOfToday are the tests of what docker with containerd's image store and buildx
// does otherwise than docker before, beside those whose names begin with onToday.
func dockerOfToday() []string {
	return []string{
		"TestANodeThatFailsDoesNotKeepTheOthersFromTheImage",
		"TestAPruneBetweenBuildAndLoadTakesNothing",
		"TestAnEnginesImageIsSentOnceAndHealsNodesLater",
		"TestBuildArgumentsArriveAsTheyAreAndSecretsStaySecret",
		"TestCleanTakesWhatBuildsLeftOnTheHost",
		"TestLoadSendsOnlyTheLayerThatChanged",
		"TestOneTagFromTheBuildToThePod",
		"TestPrebuiltImagesAreAdoptedAndStay",
		"TestReleaseTakesTheImageOutOfTheEngine",
		"TestRetagOnceRecordDeployProve",
		"TestSuitesThatShareAReferenceDeployTheirOwnCode",
		"TestTheEngineThroughAllVerbs",
		"TestTwoLoadsOfOneImageAtOnce",
		"TestUpRepeatsNothingThatIsTrue",
		"TestWhatWasRebuiltButNotLoadedIsNotDeployed",
		"TestWithoutALockWhatIsNewerIsSeenAllTheSame",
	}
}

// onToday begins the names of tests that need the engines of today.
const onToday = "Test(Docker|Podman)OfToday"

// misplaced are the beginnings of tests that do not belong to a provider.
func misplaced(provider string, notRoot bool) []string {
	var names []string
	if !kindtest.IsNewDocker(provider) {
		names = append(names, onToday)
	}
	if provider != kindtest.Podman {
		// It would be podman without the cluster.
		names = append(names, "TestDockerThatIsPodman")
	}
	if provider != kindtest.Docker || !notRoot {
		// It needs who is not root.
		names = append(names, "TestRootlessPodman")
	}
	return names
}

// selectScope makes the test binary run only the tests of a scope: all, engines for
// those of everyEngine, today for dockerOfToday, smoke for those of mainFlow. What -run
// asks for goes first.
func selectScope(scope, provider string, notRoot bool) error {
	if err := flag.Set("test.skip", "^("+strings.Join(misplaced(provider, notRoot), "|")+")"); err != nil {
		return err
	}
	names, known := map[string][]string{"all": nil, "engines": everyEngine(), "today": dockerOfToday(), "smoke": mainFlow()}[scope]
	if !known {
		return fmt.Errorf("-scope %q: must be all, engines, today or smoke", scope)
	}
	tests, err := testNames()
	if err != nil {
		return err
	}
	for _, name := range names {
		if !tests[name] {
			return fmt.Errorf("scope %s has %s, and there is no such test", scope, name)
		}
	}
	if len(names) == 0 || flag.Lookup("test.run").Value.String() != "" {
		return nil
	}
	if scope == "today" {
		names = append(names, onToday+".*")
	}
	return flag.Set("test.run", "^("+strings.Join(names, "|")+")$")
}

// testNames reads the names of all tests from the sources of this package, which is the
// working folder of its tests.
func testNames() (map[string]bool, error) {
	names := map[string]bool{}
	entries, err := os.ReadDir(".")
	if err != nil {
		return nil, err
	}
	for _, entry := range entries {
		if !strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), entry.Name(), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, declaration := range file.Decls {
			if function, ok := declaration.(*ast.FuncDecl); ok && strings.HasPrefix(function.Name.Name, "Test") {
				names[function.Name.Name] = true
			}
		}
	}
	return names, nil
}
