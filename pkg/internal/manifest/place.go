package manifest

import (
	"bytes"
	"strings"
	"unicode/utf8"

	"go.yaml.in/yaml/v3"
)

// replace puts a value in the place of a scalar, or of an alias of one.
func (r *rendering) replace(node *yaml.Node, value string) {
	from, to, quote, ok := r.place(node)
	if !ok {
		r.problem(node, "%s cannot be replaced where it is written over several lines or in a block; write it on one line",
			node.Value)
		return
	}
	if string(r.text[from:to]) != quote+value+quote {
		r.edits = append(r.edits, edit{from: from, to: to, text: quote + value + quote})
	}
}

// place finds the text of a scalar that stands on one line, behind its tag and anchor.
func (r *rendering) place(node *yaml.Node) (from, to int, quote string, ok bool) {
	if node.Kind == yaml.AliasNode {
		from = r.offset(node.Line, node.Column)
		if node.Alias.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
			quote = `"`
		}
		return from, from + 1 + len(node.Value), quote, bytes.HasPrefix(r.text[from:], []byte("*"+node.Value))
	}
	if from = r.begin(node); from >= len(r.text) {
		return 0, 0, "", false
	}
	switch node.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		to, ok = closing(r.text, from)
		return from, to, string(r.text[from]), ok && !bytes.ContainsRune(r.text[from:to], '\n')
	case yaml.LiteralStyle, yaml.FoldedStyle:
		return 0, 0, "", false
	}
	return from, from + len(node.Value), "", bytes.HasPrefix(r.text[from:], []byte(node.Value))
}

// begin is where the text of a scalar begins, behind its tag and anchor.
func (r *rendering) begin(node *yaml.Node) int {
	from := r.offset(node.Line, node.Column)
	for from < len(r.text) && strings.IndexByte("&!", r.text[from]) >= 0 {
		for from < len(r.text) && strings.IndexByte(" \t\r\n", r.text[from]) < 0 {
			from++
		}
		for from < len(r.text) && strings.IndexByte(" \t", r.text[from]) >= 0 {
			from++
		}
	}
	return from
}

// extent is where the text of a scalar is, or of what begins with it: only quotes say
// where they end.
func (r *rendering) extent(node *yaml.Node) (from, to int) {
	from = r.begin(node)
	switch node.Style &^ yaml.TaggedStyle {
	case yaml.DoubleQuotedStyle, yaml.SingleQuotedStyle:
		if end, ok := closing(r.text, from); ok {
			return from, end
		}
	case yaml.LiteralStyle, yaml.FoldedStyle:
		// Behind the mark may be a comment.
		if end := bytes.IndexByte(r.text[from:], '\n'); end >= 0 {
			from += end
		}
	}
	return from, len(r.text)
}

// closing finds the end of what is quoted.
func closing(text []byte, from int) (int, bool) {
	if from >= len(text) || text[from] != '"' && text[from] != '\'' {
		return 0, false
	}
	for i := from + 1; i < len(text); i++ {
		switch {
		case text[i] == '\\' && text[from] == '"':
			i++
		case text[i] != text[from]:
		case text[from] == '\'' && i+1 < len(text) && text[i+1] == '\'':
			i++
		default:
			return i + 1, true
		}
	}
	return 0, false
}

// offset turns a line and a column, which counts characters, into an offset.
func (r *rendering) offset(line, column int) int {
	at := r.lines[min(line, len(r.lines))-1]
	for range column - 1 {
		if at >= len(r.text) {
			break
		}
		_, size := utf8.DecodeRune(r.text[at:])
		at += size
	}
	return at
}

// lineOffsets are where lines begin, as the YAML library counts them: it takes all line
// ends of YAML 1.1.
func lineOffsets(text []byte) []int {
	offsets := []int{0}
	for at := 0; at < len(text); {
		next, size := utf8.DecodeRune(text[at:])
		at += size
		switch next {
		case '\r':
			if at < len(text) && text[at] == '\n' {
				at++
			}
			offsets = append(offsets, at)
		case '\n', '\u0085', '\u2028', '\u2029':
			offsets = append(offsets, at)
		}
	}
	return offsets
}
