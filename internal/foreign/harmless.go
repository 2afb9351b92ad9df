// Package foreign shows text that others wrote: logs, events, records, answers of
// engines and API servers, names. It makes it harmless for a terminal and masks what
// looks like a secret. It must not know where the text comes from.
package foreign

import (
	"io"
	"strings"
	"unicode"
)

// sequences are what terminals act upon, with what belongs to it: CSI, the strings OSC,
// DCS, SOS, PM and APC with their end, and other escapes. One that has no end on its
// line is none: else it would swallow what is written behind it.
var sequences = lazily(`(?:\x1b\[|\x{9b})[0-?]*[ -/]*[@-~]` +
	`|(?:\x1b[\]PX^_]|[\x{9d}\x{90}\x{98}\x{9e}\x{9f}])[^\x07\x1b\x{9c}\n]*(?:\x07|\x1b\\|\x{9c})` +
	`|\x1b[ -/]*[0-OQ-WYZ\x60-~\\]`)

// Harmless returns text as a terminal, or who reads a log, can be shown it: lines of
// visible characters and tabs. Escape sequences go, mostly colours. What else acts on
// a terminal, or is not seen, is replaced by a character that is: text must not look
// like another one. A carriage return is no exception: what stands before it was
// perhaps written by us.
func Harmless(text string) string {
	if !strings.ContainsFunc(text, harmful) {
		// Most is.
		return strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	}
	text = strings.ToValidUTF8(text, string(unicode.ReplacementChar))
	text = sequences().ReplaceAllString(strings.ReplaceAll(text, "\r\n", "\n"), "")
	return strings.Map(func(r rune) rune {
		switch {
		case joins(r):
			return -1
		case harmful(r):
			return unicode.ReplacementChar
		}
		return r
	}, text)
}

// Line is Harmless for what has its place on a line, as in a column of a table.
func Line(text string) string {
	return strings.Map(func(r rune) rune {
		if r == '\n' || r == '\t' {
			return unicode.ReplacementChar
		}
		return r
	}, Harmless(text))
}

// LastState is a line as a terminal shows it in the end: progress is drawn over itself,
// from carriage return to carriage return.
func LastState(line string) string {
	line = strings.TrimRight(line, "\r")
	return line[strings.LastIndexByte(line, '\r')+1:]
}

// Escaped writes what is harmful as escapes of its format, which takes nothing away.
func Escaped(text string, escape func(rune) string) string {
	if !strings.ContainsFunc(text, harmful) {
		return text
	}
	var escaped strings.Builder
	for _, r := range text {
		if harmful(r) {
			escaped.WriteString(escape(r))
		} else {
			escaped.WriteRune(r)
		}
	}
	return escaped.String()
}

// IsHarmless tells whether Harmless would leave the text as it is.
func IsHarmless(text string) bool { return Harmless(text) == text }

// harmful are all but what is visible, spaces, tabs and line feeds.
func harmful(r rune) bool {
	return r != '\n' && r != '\t' && (!unicode.IsGraphic(r) || unicode.Is(unicode.Other_Default_Ignorable_Code_Point, r) ||
		unicode.Is(unicode.Variation_Selector, r))
}

// joins are the invisible characters that many scripts and emoji are written with.
func joins(r rune) bool {
	const zeroWidthNonJoiner, zeroWidthJoiner = '\u200c', '\u200d'
	return r == zeroWidthNonJoiner || r == zeroWidthJoiner || unicode.Is(unicode.Variation_Selector, r)
}

// Writer makes what is written to it harmless. Each Write has whole characters, as
// those of fmt and of loggers do.
func Writer(to io.Writer, change func(string) string) io.Writer { return &writer{to, change} }

type writer struct {
	to     io.Writer
	change func(string) string
}

// Write implements io.Writer.
func (w *writer) Write(p []byte) (int, error) {
	if _, err := io.WriteString(w.to, w.change(string(p))); err != nil {
		return 0, err
	}
	return len(p), nil
}
