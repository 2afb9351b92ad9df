package main

import (
	"strings"
	"testing"
)

// said is what govulncheck says: of a module that is required, a package that is linked,
// and of functions that are called, one of them twice.
const said = `{"config": {"protocol_version": "v1.0.0"}}
{"progress": {"message": "Fetching vulnerabilities from the database..."}}
{"finding": {"osv": "GO-1", "fixed_version": "v1.1.0", "trace": [{"module": "example.com/required", "version": "v1.0.0"}]}}
{"finding": {"osv": "GO-2", "trace": [{"module": "example.com/linked", "version": "v1.0.0", "package": "example.com/linked/x"}]}}
{"finding": {"osv": "GO-3", "fixed_version": "v1.1.0", "trace": [{"module": "example.com/called", "version": "v1.0.0", "package": "example.com/called", "function": "F"}]}}
{"finding": {"osv": "GO-3", "fixed_version": "v1.1.0", "trace": [{"module": "example.com/called", "version": "v1.0.0", "package": "example.com/called", "function": "G"}]}}
{"finding": {"osv": "GO-4", "fixed_version": "v1.26.9", "trace": [{"module": "stdlib", "version": "v1.26.8", "package": "net/http", "function": "Get"}]}}
`

func TestFindingsOfALevelAreTold(t *testing.T) {
	t.Parallel()
	const called = "GO-3 in example.com/called@v1.0.0, fixed in v1.1.0: https://pkg.go.dev/vuln/GO-3"
	for level, want := range map[string][]string{
		"module": {
			"GO-1 in example.com/required@v1.0.0, fixed in v1.1.0: https://pkg.go.dev/vuln/GO-1",
			"GO-2 in example.com/linked@v1.0.0, not fixed yet: https://pkg.go.dev/vuln/GO-2", called,
		},
		"package": {"GO-2 in example.com/linked@v1.0.0, not fixed yet: https://pkg.go.dev/vuln/GO-2", called},
		"symbol":  {called},
	} {
		t.Run(level, func(t *testing.T) {
			t.Parallel()
			found, err := decode(strings.NewReader(said), level)
			if err != nil {
				t.Fatal(err)
			}
			modules, standard := divided(found)
			if got := strings.Join(modules, "\n"); got != strings.Join(want, "\n") {
				t.Errorf("got\n%s\nwant\n%s", got, strings.Join(want, "\n"))
			}
			if strings.Join(standard, " ") != "GO-4" {
				t.Errorf("of the standard library: %v", standard)
			}
		})
	}
}

func TestWhatIsNoAnswerIsRefused(t *testing.T) {
	t.Parallel()
	if found, err := decode(strings.NewReader("no vulnerabilities"), "module"); err == nil {
		t.Errorf("no error, but %v", found)
	}
}
