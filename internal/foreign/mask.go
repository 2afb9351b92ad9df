package foreign

import (
	"regexp"
	"slices"
	"strings"
)

// Errors end up in the logs of CI, so what looks like a secret is hidden in what others
// wrote: tokens by their shapes, values by the names of their keys, credentials in
// headers and addresses, private keys. Hiding a little too much only makes a report
// poorer. Libraries with such patterns were looked at: gitleaks' detector brings 68
// modules and 7 MB, and passes by most of what is here.

const masked = "***"

// Masker masks text that comes line by line.
type Masker struct {
	known []string
	// inKey: the lines are of a private key.
	inKey bool
	// inBlock is how far the key is indented whose YAML block the lines are, -1 for none.
	inBlock int
	// named: the line before names a variable whose value comes; flagged: a flag.
	named, flagged bool
}

// NewMasker returns one for a text. Known are values that are secrets, whatever they
// look like.
func NewMasker(known ...string) *Masker {
	known = slices.Clone(known)
	// The longest first: one may be a part of another.
	slices.SortFunc(known, func(a, b string) int { return len(b) - len(a) })
	return &Masker{known: known, inBlock: -1}
}

// Masked hides what looks like a secret, and is harmless: colours must not keep a secret
// from being found.
func Masked(text string) string { return NewMasker().Text(text) }

// Text masks several lines.
func (m *Masker) Text(text string) string {
	text = Harmless(text)
	if ends := endOfKey().FindStringIndex(text); ends != nil && !keyBegin().MatchString(text[:ends[0]]) {
		text = endOfKey().ReplaceAllString(text, masked+"\n$1")
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		lines[i] = m.Line(line)
	}
	return strings.Join(lines, "\n")
}

// Line masks the next line.
func (m *Masker) Line(line string) string {
	line = Harmless(line)
	for _, secret := range m.known {
		line = strings.ReplaceAll(line, secret, masked)
	}
	indent := len(line) - len(strings.TrimLeft(line, " "))
	switch {
	case m.inKey && (keyEnd().MatchString(line) || !keyBody().MatchString(line)):
		m.inKey = false
	case m.inKey:
		return masked
	case m.inBlock >= 0 && (indent > m.inBlock || strings.TrimSpace(line) == ""):
		return line[:indent] + masked
	}
	m.inBlock = -1
	if block := yamlBlock().FindStringSubmatch(line); block != nil && telling(block[2]) {
		m.inBlock = indent
		return line
	}
	if value := valueOf().FindStringSubmatch(line); value != nil && m.named {
		line = value[1] + hidden(value[2])
	}
	if element := elementOf().FindStringSubmatch(line); element != nil && m.flagged {
		line = element[1] + hidden(element[2]) + element[3]
	}
	flag := flagOf().FindStringSubmatch(line)
	m.flagged = flag != nil && telling(flag[1])
	name := nameOf().FindStringSubmatch(line)
	m.named = name != nil && telling(name[1])
	if begun := keyBegin().FindStringIndex(line); begun != nil && !keyEnd().MatchString(line[begun[1]:]) {
		m.inKey = true
	}
	return maskedLine(line)
}

// Private keys in PEM: whole on a line, as JSON has them, or over lines, of which the
// first may be missing.
var (
	wholeKey = lazily(`(-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----).*?(-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----)`)
	begunKey = lazily(`(-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----)(?:\\[nr]|\s)*[A-Za-z0-9+/=]{16}[A-Za-z0-9+/=\\]*`)
	keyBegin = lazily(`-----BEGIN [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----`)
	keyEnd   = lazily(`-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----`)
	// Engines write something of their own before each line.
	keyBody  = lazily(`(?:^|[\s|])(?:[A-Za-z0-9+/]{16,}=*|[A-Za-z0-9+/]{1,15}=+|(?:Proc-Type|DEK-Info|Version|Comment): .*)\s*$|^\s*$`)
	endOfKey = lazily(`(?m)(?:^[^-\n]*[A-Za-z0-9+/]{16,}=*\s*\n)+(?:[^-\n]*[A-Za-z0-9+/=]{1,64}\s*\n)?(.*-----END [A-Z0-9 ]*PRIVATE KEY[A-Z ]*-----)`)
)

func maskKeyed(line string) string {
	return replace(keyed(), line, func(part []string) string {
		if telling(part[1]) || isAuth(part[1], part[3]) {
			return part[1] + part[2] + valueFor(part[1], part[3])
		}
		return part[1] + part[2] + maskKeyed(part[3])
	})
}

// replace is ReplaceAllStringFunc with the groups of each match.
func replace(form *regexp.Regexp, text string, with func(part []string) string) string {
	var replaced strings.Builder
	end := 0
	for _, at := range form.FindAllStringSubmatchIndex(text, -1) {
		var part []string
		for i := 0; i < len(at); i += 2 {
			part = append(part, text[max(at[i], 0):max(at[i+1], 0)])
		}
		replaced.WriteString(text[end:at[0]] + with(part))
		end = at[1]
	}
	return replaced.String() + text[end:]
}

// valueFor hides a value, unless it is none.
func valueFor(key, value string) string {
	if isNone(key, value) {
		return value
	}
	return hidden(value)
}

// credentials hides those of a header and keeps the scheme.
func credentials(value string) string { return schemeOf().FindString(value) + masked }

// hidden keeps the quotes of a value.
func hidden(value string) string { return opening(value) + masked + closing(value) }

// closing is the quote that a value ends with, "" where it was cut.
func closing(value string) string {
	quote := opening(value)
	if len(value) < 2*len(quote) || !strings.HasSuffix(value, quote) {
		return ""
	}
	return quote
}

// opening is the quote that a value begins with.
func opening(value string) string { return openingQuote().FindString(value) }

var openingQuote = lazily(`^\\*["']`)

// Error is an error with its message masked, for those that quote what others wrote.
func Error(err error) error {
	if _, chosen := err.(*reworded); chosen || err == nil {
		return err
	}
	return &reworded{Masked(err.Error()), err}
}

// Reworded is an error with other words, which are shown as they are; errors.Is and As
// find in it what they do in err.
func Reworded(err error, words string) error { return &reworded{words, err} }

type reworded struct {
	words string
	err   error
}

func (e *reworded) Error() string { return e.words }
func (e *reworded) Unwrap() error { return e.err }
