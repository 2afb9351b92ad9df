package foreign

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestHarmless(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct{ text, want string }{
		"plain text stays":                              {"a b\tc\nd", "a b\tc\nd"},
		"letters of all scripts stay":                   {"é ß 漢字 עברית العربية ✓ 👩", "é ß 漢字 עברית العربية ✓ 👩"},
		"colours go":                                    {"\x1b[1;31merror\x1b[0m: x", "error: x"},
		"colours of many parameters go":                 {"\x1b[38;2;1;2;3mx\x1b[m", "x"},
		"moving the cursor goes":                        {"a\x1b[2K\x1b[1Ab\x1b[?25l", "ab"},
		"the 8-bit CSI goes":                            {"a\u009b31mb", "ab"},
		"a title goes":                                  {"a\x1b]0;owned\x07b", "ab"},
		"a title that ends with ST goes":                {"a\x1b]0;owned\x1b\\b", "ab"},
		"a title in 8-bit goes":                         {"a\u009d0;owned\u009cb", "ab"},
		"a link keeps its text":                         {"\x1b]8;;https://x\x1b\\text\x1b]8;;\x1b\\", "text"},
		"the clipboard is not written":                  {"\x1b]52;c;ZXZpbA==\x07", ""},
		"a device control string goes":                  {"a\x1bP1$r0m\x1b\\b", "ab"},
		"an APC goes":                                   {"a\x1b_Gx\x1b\\b", "ab"},
		"a reset goes":                                  {"a\x1bcb", "ab"},
		"a character set goes":                          {"a\x1b(0b", "ab"},
		"a title without an end swallows nothing":       {"a\x1b]0;b\nc", "a�]0;b\nc"},
		"a title without an end in 8-bit, too":          {"a\u009d0;b", "a�0;b"},
		"a CSI without an end swallows nothing":         {"a\x1b[31\nb", "a�[31\nb"},
		"an escape at the end":                          {"a\x1b", "a�"},
		"an escape in an escape":                        {"a\x1b\x1b[31mb", "a�b"},
		"what is left of nested sequences is harmless":  {"\x1b\x1b[0m[31mx", "�[31mx"},
		"a carriage return wipes nothing":               {"error: x\rall is well", "error: x�all is well"},
		"line ends of Windows are line ends":            {"a\r\nb\r\n", "a\nb\n"},
		"a backspace wipes nothing":                     {"ab\b\bc", "ab��c"},
		"a bell, NUL and DEL":                           {"\a\x00\x7f", "���"},
		"a form feed and a vertical tab":                {"a\f\vb", "a��b"},
		"C1 controls":                                   {"a\u0085b\u008dc", "a�b�c"},
		"directions":                                    {"a\u202eb\u2066c\u200fd\u061ce", "a�b�c�d�e"},
		"what is not seen":                              {"a\u200bb\u2060c\ufeffd\u00ade\U000e0041f", "a�b�c�d�e�f"},
		"fillers that look like nothing":                {"a\u3164b\u115fc\u2028d\u2029e", "a�b�c�d�e"},
		"joiners and variation selectors":               {"👩\u200d💻 ✔\ufe0f می\u200cخواهم", "👩💻 ✔ میخواهم"},
		"private use and what is not assigned":          {"\ue000\U000f0000\u0378", "���"},
		"bytes that are no UTF-8":                       {"a\xff\x9b31mb\xc3", "a�31mb�"},
		"half a character is one replacement":           {"\xe2\x82", "�"},
		"a sequence with a byte that is no UTF-8 in it": {"\x1b[3\xff1mx", "�[3�1mx"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Harmless(test.text)
			if got != test.want {
				t.Errorf("%q became %q, want %q", test.text, got, test.want)
			}
			if again := Harmless(got); again != got || !IsHarmless(got) {
				t.Errorf("a second time it becomes %q", again)
			}
		})
	}
}

func TestAColumnIsOneLine(t *testing.T) {
	t.Parallel()
	if got := Line("a\tb\nc\x1b[31md"); got != "a�b�cd" {
		t.Errorf("%q", got)
	}
}

func TestProgressBecomesItsLastState(t *testing.T) {
	t.Parallel()
	for line, want := range map[string]string{
		"10%\r50%\r100%": "100%", "10%\r100%\r": "100%", "\rdone\r\r": "done", "no progress": "no progress", "": "", "\r": "",
	} {
		if got := LastState(line); got != want {
			t.Errorf("%q is %q in the end, want %q", line, got, want)
		}
	}
}

func TestEscapesTakeNothingAway(t *testing.T) {
	t.Parallel()
	if got := Escaped("a\u202eb\n", func(r rune) string { return "<" + string(r) + ">" }); got != "a<\u202e>b\n" {
		t.Errorf("%q", got)
	}
}

// allowed is written down apart from the code: what may come out.
func allowed(r rune) bool {
	switch {
	case r == '\n' || r == '\t' || r == unicode.ReplacementChar:
		return true
	case unicode.Is(unicode.Cc, r), unicode.Is(unicode.Cf, r), unicode.Is(unicode.Zl, r), unicode.Is(unicode.Zp, r), unicode.Is(unicode.Co, r), unicode.Is(unicode.Cs, r):
		return false
	case r >= 0xfe00 && r <= 0xfe0f, r == 0x115f, r == 0x1160, r == 0x3164, r == 0xffa0, r == 0x34f:
		return false
	}
	return true
}

func FuzzHarmless(f *testing.F) {
	for _, seed := range []string{"", "a\x1b[31mb", "\x1b]0;x\x07", "\x1b]0;\x1b[31m\x07x", "\u009b\u009d\u009c", "\r\n\r", "\u202e\u2066", "\xff\x1b\xfe[m", "\x1b\x1b\x1b[[[mm", "\U000e0001\u200b"} {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, text string) {
		got := Harmless(text)
		if !utf8.ValidString(got) {
			t.Fatalf("%q became %q, which is no UTF-8", text, got)
		}
		if at := strings.IndexFunc(got, func(r rune) bool { return !allowed(r) }); at >= 0 {
			t.Fatalf("%q became %q, with %q in it", text, got, got[at:])
		}
		if again := Harmless(got); again != got {
			t.Fatalf("%q became %q, and that %q", text, got, again)
		}
		if strings.Count(text, "\n") != strings.Count(got, "\n") {
			t.Fatalf("%q became %q: lines were lost", text, got)
		}
	})
}

func TestWhatIsWrittenIsHarmless(t *testing.T) {
	t.Parallel()
	var out strings.Builder
	to := Writer(&out, Harmless)
	if n, err := to.Write([]byte("a\x1b[31mb\n")); n != 8 || err != nil || out.String() != "ab\n" {
		t.Errorf("%d, %v, %q", n, err, out.String())
	}
}
