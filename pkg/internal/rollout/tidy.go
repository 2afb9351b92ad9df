package rollout

import (
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// maxLine is how many bytes of a line of a log or event are kept.
const maxLine = 500

// kubeletPodID is how the kubelet writes a pod: NAME_NAMESPACE(UID).
var kubeletPodID = regexp.MustCompile(`([a-z0-9][-a-z0-9.]*)_[a-z0-9][-a-z0-9]*\([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\)`)

// podNamesOnly leaves of such pods their names: the report says the namespace, and nobody
// types a UID.
func podNamesOnly(text string) string { return kubeletPodID.ReplaceAllString(text, "$1") }

// tidy makes lines fit to be shown. It masks first: half a secret looks like none.
func tidy(lines []string) []string {
	if len(lines) == 0 {
		return nil
	}
	tidy := strings.Split(foreign.Masked(strings.Join(lines, "\n")), "\n")
	for i, line := range tidy {
		tidy[i] = truncate(strings.TrimRight(line, " \t"))
	}
	return tidy
}

func truncate(line string) string {
	if len(line) <= maxLine {
		return line
	}
	end := maxLine - len("…")
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}
