package main

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const events = `{"Action":"start","Package":"github.com/e2eimage/kubectl-e2eimage/test/e2e"}
{"Action":"output","Package":"github.com/e2eimage/kubectl-e2eimage/test/e2e","Output":"set-up done\n"}
{"Action":"run","Package":"p","Test":"TestGood"}
{"Action":"output","Package":"p","Test":"TestGood","Output":"=== RUN   TestGood\n"}
{"Action":"run","Package":"p","Test":"TestBad"}
{"Action":"output","Package":"p","Test":"TestBad/one","Output":"    bad_test.go:1: wrong\n"}
{"Action":"fail","Package":"p","Test":"TestBad/one","Elapsed":1}
{"Action":"fail","Package":"p","Test":"TestBad","Elapsed":2.5}
{"Action":"pass","Package":"p","Test":"TestGood","Elapsed":0.1}
not JSON
{"Action":"output","Package":"p","Test":"TestCut","Output":"still at it\n"}
{"Action":"fail","Package":"p","Elapsed":3}
`

func TestOnlyWhatFailedIsShownWhole(t *testing.T) {
	var shown strings.Builder
	tests := follow(strings.NewReader(events), "podman", &screen{w: &shown})
	want := `podman: set-up done
podman:     bad_test.go:1: wrong
podman: fail TestBad 2.5s
podman: not JSON
podman: still at it
`
	if diff := cmp.Diff(want, shown.String()); diff != "" {
		t.Error(diff)
	}
	wantTests := []ended{{"p", "TestBad/one", "fail", time.Second}, {"p", "TestBad", "fail", 2500 * time.Millisecond}, {"p", "TestGood", "pass", 100 * time.Millisecond}}
	if diff := cmp.Diff(wantTests, tests, cmp.AllowUnexported(ended{})); diff != "" {
		t.Error(diff)
	}
}

func TestTheReportRepeatsWhatFailed(t *testing.T) {
	e2e := suite{name: "podman", args: []string{"-race", "./test/e2e", "-provider", "podman"}}
	results := []result{
		{suite: suite{name: "unit", args: []string{"./pkg/...", "./cmd/..."}}, took: time.Second, tests: []ended{{module + "/pkg/a", "TestA", "pass", 0}}},
		{suite: e2e, took: 90 * time.Second, err: errors.New("exit status 1"), tests: []ended{
			{module + "/test/e2e", "TestQuick", "pass", time.Millisecond},
			{module + "/test/e2e", "TestBad/slow one", "fail", 2 * time.Second},
			{module + "/test/e2e", "TestBad/quick", "pass", 0},
			{module + "/test/e2e", "TestBad", "fail", 0},
		}},
		{suite: suite{name: "docker", args: []string{"./test/e2e"}}, err: errors.New("exit status 2")},
		{suite: suite{name: "docs", args: []string{"-C=test/docs", "-count=1", "./run"}}, err: errors.New("exit status 1"), tests: []ended{
			{module + "/test/docs/run", "TestPages", "fail", 0},
		}},
	}
	want := `
SUITE    RESULT   PASSED   FAILED   SKIPPED   TIME
unit     ok       1        0        0         1.0s
podman   FAILED   1        1        0         90.0s
docker   FAILED   0        0        0         0.0s
docs     FAILED   0        1        0         0.0s
all                                           91.0s

slowest of podman:
    2.0s  TestBad/slow one

failed of podman; each is repeated by
  go test -race ./test/e2e -provider podman -run '^TestBad$'

docker failed outside of its tests: exit status 2
  go test ./test/e2e

failed of docs; each is repeated by
  go test -C=test/docs -count=1 ./run -run '^TestPages$'

2 passed, 2 failed
`
	if diff := cmp.Diff(want, report(results, 91*time.Second)); diff != "" {
		t.Error(diff)
	}
	unit := suite{args: []string{"-race", "./pkg/...", "./cmd/..."}}
	if got, want := unit.repeat(module, ended{pkg: module + "/pkg/a", name: "TestA"}), "go test -race ./pkg/a -run '^TestA$'"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestASuiteOfAnotherModuleIsRunThere(t *testing.T) {
	other := suite{args: []string{"-C=test/docs", "-count=1", "./run"}}
	if got, want := strings.Join(other.command(), " "), "test -C=test/docs -json -count=1 ./run"; got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestWrongArgumentsRunNothing(t *testing.T) {
	for args, want := range map[string]string{
		"":                      "no suite",
		"unit":                  "give its name and the arguments",
		"unit ./a|unit ./b":     `two suites are called "unit"`,
		"-at-once|0|unit ./a":   "must be at least 1",
		"-at-once|few|unit ./a": "invalid value",
	} {
		var stdout, stderr strings.Builder
		var argv []string
		if args != "" {
			argv = strings.Split(args, "|")
		}
		if code := run(argv, &stdout, &stderr); code != 2 || stdout.Len() > 0 || !strings.Contains(stderr.String(), want) {
			t.Errorf("%s: exit %d, stdout %q, stderr %q", args, code, stdout.String(), stderr.String())
		}
	}
}
