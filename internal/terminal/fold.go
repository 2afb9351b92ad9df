package terminal

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// Fold breaks the lines of a text at words, so that none is wider than columns; 0 is no
// limit. first columns are taken before the text. What follows a break is indented.
//
// A command is not broken, and a line that only leads to one stays whole: it is to be
// copied. So does a word that is wider than the terminal. A number keeps its unit.
func Fold(text string, columns, first int) string {
	if columns <= 0 {
		return text
	}
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		if i > 0 {
			first = 0
		}
		lines[i] = foldLine(line, columns, first)
	}
	return strings.Join(lines, "\n")
}

// deeper is how far what follows a break is indented.
const deeper = "  "

func foldLine(line string, columns, first int) string {
	if first+Width(line) <= columns || isHint(line) {
		return line
	}
	words := strings.TrimLeft(line, " ")
	indent := line[:len(line)-len(words)]
	var folded strings.Builder
	folded.WriteString(indent)
	at, begun := first+Width(indent), false
	for words != "" {
		blanks, word := next(&words)
		switch {
		case !begun:
		case at+len(blanks)+Width(word) > columns:
			folded.WriteString("\n" + indent + deeper)
			at = Width(indent + deeper)
		default:
			folded.WriteString(blanks)
			at += len(blanks)
		}
		folded.WriteString(word)
		at, begun = at+Width(word), true
	}
	return folded.String()
}

// next takes the next word off a text, or a whole command, with the blanks before it.
func next(text *string) (blanks, word string) {
	rest := strings.TrimLeft(*text, " ")
	blanks = (*text)[:len(*text)-len(rest)]
	end := strings.IndexByte(rest, ' ')
	if end < 0 {
		end = len(rest)
	}
	end = max(end, commandIn(rest))
	if unit := firstWord(rest[min(end+1, len(rest)):]); isNumber(rest[:end]) && isUnit(unit) {
		end += 1 + len(unit)
	}
	word, *text = rest[:end], rest[end:]
	return blanks, word
}

// command begins what is typed, perhaps behind a bracket or a quote. Engines are also
// spoken of: theirs are told by what they are to do.
var command = sync.OnceValue(func() *regexp.Regexp {
	return regexp.MustCompile(`^[('"` + "`" + `]?(?:kubectl|helm|iconv|curl|crictl|sudo|export|make|git` +
		`|kind (?:create|get|delete|load)` +
		`|(?:docker|podman) (?:build|create|exec|image|images|inspect|load|login|logs|ps|pull|restart|rm|rmi|save|start` +
		`|stop|system|tag|unpause|update)) `)
})

// commandIn is where a command ends that a text begins with: at the end of a sentence or
// of brackets, but not within quotes; 0 for none.
func commandIn(text string) int {
	if !command().MatchString(text) {
		return 0
	}
	opened := text[0]
	if opened == '\'' || opened == '"' || opened == '`' {
		if end := strings.IndexByte(text[1:], opened); end >= 0 {
			return end + 2
		}
	}
	quote := byte(0)
	for at := range len(text) {
		switch char := text[at]; {
		case quote != 0:
			if char == quote {
				quote = 0
			}
		case char == '\'' || char == '"':
			quote = char
		case char == ')' && opened == '(':
			return at + 1 + len(firstWord(text[at+1:]))
		case strings.IndexByte(";,:.", char) >= 0 && text[at-1] != ' ' && strings.HasPrefix(text[at+1:], " "):
			return at + 1
		case strings.HasPrefix(text[at:], " ("):
			return at
		}
	}
	return len(text)
}

// firstWord is what a text begins with up to a blank.
func firstWord(text string) string {
	before, _, _ := strings.Cut(text, " ")
	return before
}

// isNumber tells whether a word is a number that a unit may follow.
func isNumber(word string) bool {
	_, err := strconv.ParseFloat(strings.TrimLeft(word, "("), 64)
	return err == nil
}

// isUnit tells whether a word is the unit of the number before it.
func isUnit(word string) bool {
	return slices.Contains([]string{"B", "kB", "MB", "GB", "TB"}, strings.TrimRight(word, ".,;:)"))
}

// label is at most so long before the command that it leads to.
const label = 48

// isHint tells whether a line is a command, or says what one is for.
func isHint(line string) bool {
	line = strings.TrimLeft(line, " ")
	if commandIn(line) == len(line) {
		return line != ""
	}
	for at := 0; at < min(len(line), label); at++ {
		if rest, behind := strings.CutPrefix(line[at:], ": "); behind && commandIn(rest) == len(rest) {
			return true
		}
	}
	return false
}
