package manifest

import (
	"bytes"
	"fmt"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
)

// Decoded returns text in UTF-8, as Render does, without any image put in.
func Decoded(text []byte, file string) ([]byte, error) {
	plain, wrong := decoded(text)
	if wrong != nil {
		return nil, &Error{File: file, Problems: []Problem{*wrong}}
	}
	return plain, nil
}

// decoded returns text in UTF-8, without the mark that says so. PowerShell writes UTF-16,
// which kubectl reads where a mark says so, too. What kubectl would read as something
// else than what was written is an error.
func decoded(text []byte) ([]byte, *Problem) {
	for _, mark := range []string{"\xff\xfe\x00\x00", "\x00\x00\xfe\xff"} {
		if bytes.HasPrefix(text, []byte(mark)) {
			return nil, &Problem{
				Line: 1,
				Text: "is written in UTF-32, which kubectl does not read; write it in UTF-8: iconv -f UTF-32 -t UTF-8",
			}
		}
	}
	if bytes.HasPrefix(text, []byte("\xff\xfe")) || bytes.HasPrefix(text, []byte("\xfe\xff")) {
		plain, err := unicode.UTF16(unicode.BigEndian, unicode.ExpectBOM).NewDecoder().Bytes(text)
		if err != nil {
			return nil, &Problem{Line: 1, Text: fmt.Sprintf("is written in UTF-16, but cannot be read: %v", err)}
		}
		return plain, nil
	}
	text = bytes.TrimPrefix(text, []byte("\ufeff"))
	if at := bytes.IndexByte(text, 0); at >= 0 {
		return nil, &Problem{
			Line: lineAt(text, at),
			Text: "has a character NUL: UTF-16 without a byte order mark? Write it in UTF-8: iconv -f UTF-16LE -t UTF-8",
		}
	}
	if !utf8.Valid(text) {
		at := 0
		for size := 0; at < len(text); at += size {
			var next rune
			if next, size = utf8.DecodeRune(text[at:]); next == utf8.RuneError && size == 1 {
				break
			}
		}
		return nil, &Problem{
			Line: lineAt(text, at),
			Text: "is not UTF-8: Latin-1? Write it in UTF-8: iconv -f ISO-8859-1 -t UTF-8",
		}
	}
	return text, nil
}

// lineAt is the line in which an offset is, from 1 on.
func lineAt(text []byte, at int) int { return 1 + bytes.Count(text[:at], []byte("\n")) }
