package workload

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// maxLine is how many bytes of a line of a log or event are kept.
const maxLine = 500

// Errors end up in the logs of CI, so what looks like a secret is hidden: the
// value after a telling key, also inside JSON and quotes; credentials of an
// Authorization header; a password in a URL. A colon counts only right behind the
// key: `volume "db-secret" : secret "db" not found` has no secret in it.
var (
	keyed = regexp.MustCompile(`(?i)([\w.-]*(?:password|passwd|passphrase|pwd|secret|token|api[-_]?key|access[-_]?key|private[-_]?key|credential)[\w.-]*\\?["']?(?:\s*=|:)\s*)` +
		`(\\?"[^"]*"|'[^']*'|[^\s"',;&}\])]+)`)
	flagged = regexp.MustCompile(`(?i)(--?[\w-]*(?:password|passwd|secret|token|api-?key)[\w-]*\s+)[^\s-]\S*`)
	bearer  = regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)[A-Za-z0-9._~+/=-]{8,}`)
	inURL   = regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@]*:)[^\s/@]+@`)
)

// mask hides what looks like a secret.
func mask(text string) string {
	text = bearer.ReplaceAllString(text, "${1}***")
	text = inURL.ReplaceAllString(text, "${1}***@")
	text = keyed.ReplaceAllString(text, "${1}***")
	return flagged.ReplaceAllString(text, "${1}***")
}

// tidy makes a line fit to be shown. It masks first: half a secret looks like none.
func tidy(line string) string {
	line = mask(strings.TrimRight(strings.ToValidUTF8(line, "?"), " \t\r\n"))
	if len(line) <= maxLine {
		return line
	}
	end := maxLine - len("…")
	for !utf8.RuneStart(line[end]) {
		end--
	}
	return line[:end] + "…"
}
