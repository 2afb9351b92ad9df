package terminal

import (
	"regexp"
	"strings"
	"sync"
	"unicode"

	"golang.org/x/text/width"
)

// colours are the sequences that a terminal takes no room for.
var colours = sync.OnceValue(func() *regexp.Regexp { return regexp.MustCompile(`\x1b\[[0-9;]*m`) })

// Width is how many columns a terminal needs for a text, without the colours in it.
func Width(text string) int {
	if strings.Contains(text, "\x1b") {
		text = colours().ReplaceAllString(text, "")
	}
	columns := 0
	for _, r := range text {
		columns += columnsOf(r)
	}
	return columns
}

// columnsOf is two for the letters of East Asia and for most emoji, none for marks that
// stand above or below a letter.
func columnsOf(r rune) int {
	if r < 0x300 {
		return 1
	}
	if unicode.In(r, unicode.Mn, unicode.Me, unicode.Cf) {
		return 0
	}
	switch width.LookupRune(r).Kind() {
	case width.EastAsianWide, width.EastAsianFullwidth:
		return 2
	}
	return 1
}

// head and tail are what of a text has its place in so many columns.
func head(text string, columns int) string {
	for at, r := range text {
		if columns -= columnsOf(r); columns < 0 {
			return text[:at]
		}
	}
	return text
}

func tail(text string, columns int) string {
	runes := []rune(text)
	at := len(runes)
	for at > 0 {
		if columns -= columnsOf(runes[at-1]); columns < 0 {
			break
		}
		at--
	}
	return string(runes[at:])
}
