package main

import (
	"fmt"
	"strings"
	"text/tabwriter"
	"time"
)

// module is stripped from the packages of commands that are shown.
const module = "github.com/e2eimage/kubectl-e2eimage"

const (
	// mostSlow is how many slow tests of a suite are named.
	mostSlow = 10
	// slow is what is not worth naming below.
	slow = time.Second
)

// report says what ran, how long it took, and how to repeat what failed.
func report(results []result, took time.Duration) string {
	var b strings.Builder
	fmt.Fprintln(&b)
	table := tabwriter.NewWriter(&b, 0, 0, 3, ' ', 0)
	fmt.Fprintln(table, "SUITE\tRESULT\tPASSED\tFAILED\tSKIPPED\tTIME")
	passed, failed := 0, 0
	for _, r := range results {
		state := "ok"
		if r.err != nil {
			state = "FAILED"
		}
		fmt.Fprintf(table, "%s\t%s\t%d\t%d\t%d\t%s\n", r.suite.name, state, r.count("pass"), r.count("fail"), r.count("skip"), seconds(r.took))
		passed, failed = passed+r.count("pass"), failed+r.count("fail")
	}
	fmt.Fprintf(table, "all\t\t\t\t\t%s\n", seconds(took))
	table.Flush()
	for _, r := range results {
		reportSlow(&b, r)
	}
	for _, r := range results {
		reportFailures(&b, r)
	}
	fmt.Fprintf(&b, "\n%d passed, %d failed\n", passed, failed)
	return b.String()
}

func reportSlow(b *strings.Builder, r result) {
	title := fmt.Sprintf("\nslowest of %s:\n", r.suite.name)
	for _, t := range r.slowest(mostSlow) {
		if t.took < slow {
			return
		}
		fmt.Fprintf(b, "%s  %6s  %s\n", title, seconds(t.took), t.name)
		title = ""
	}
}

func reportFailures(b *strings.Builder, r result) {
	if r.err == nil {
		return
	}
	if r.count("fail") == 0 {
		// A build, a set-up or a signal.
		fmt.Fprintf(b, "\n%s failed outside of its tests: %v\n  go test %s\n", r.suite.name, r.err, strings.Join(r.suite.args, " "))
		return
	}
	fmt.Fprintf(b, "\nfailed of %s; each is repeated by\n", r.suite.name)
	for _, t := range r.tests {
		if t.action == "fail" && !t.isSubtest() {
			fmt.Fprintf(b, "  %s\n", r.suite.repeat(module, t))
		}
	}
}
