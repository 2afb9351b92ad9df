package config

import (
	"strconv"
	"strings"
	"unicode"
)

// quote makes foreign text harmless, and short enough for a message.
func quote(text string) string {
	const most = 100
	if runes := []rune(text); len(runes) > most {
		return strconv.Quote(string(runes[:most])) + "…"
	}
	return strconv.Quote(text)
}

// harmless is for messages of libraries that repeat foreign text as it is.
func harmless(err error) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return unicode.ReplacementChar
		}
		return r
	}, err.Error())
}
