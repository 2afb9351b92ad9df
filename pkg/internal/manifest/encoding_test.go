package manifest

import (
	"encoding/binary"
	"strings"
	"testing"
	"unicode/utf16"
)

// utf16Of writes text as PowerShell's > does.
func utf16Of(text string, order binary.AppendByteOrder) []byte {
	out := order.AppendUint16(nil, 0xfeff)
	for _, unit := range utf16.Encode([]rune(text)) {
		out = order.AppendUint16(out, unit)
	}
	return out
}

func TestEncodingsThatKubectlReadsAreRead(t *testing.T) {
	t.Parallel()
	const text = "kind: Pod\r\nmetadata: {annotations: {a: \"ä 日本 \U0001f600\"}}\r\nspec: {containers: [{image: localhost/datastorage:old}]}\r\n"
	want := strings.Replace(text, "localhost/datastorage:old", storage, 1)
	for name, written := range map[string][]byte{
		"UTF-8": []byte(text), "UTF-8 with a mark": []byte("\ufeff" + text), "UTF-16, little endian": utf16Of(text, binary.LittleEndian), "UTF-16, big endian": utf16Of(text, binary.BigEndian),
	} {
		if got, err := Render(written, "", Options{Images: images()}); err != nil || string(got) != want {
			t.Errorf("%s: %q, %v", name, got, err)
		}
	}
	_, err := Render(utf16Of("a: 1\nb: e2eimage://nosuch\n", binary.LittleEndian), "my.yaml", Options{Images: images()})
	if err == nil || !strings.HasPrefix(err.Error(), "my.yaml:2: e2eimage://nosuch: no image") {
		t.Errorf("error %v", err)
	}
}

func TestOtherEncodingsAreRefused(t *testing.T) {
	t.Parallel()
	const text = "kind: Pod\nimage: localhost/datastorage:old\n"
	utf32 := func(order binary.AppendByteOrder) []byte {
		var out []byte
		for _, char := range "\ufeff" + text {
			out = order.AppendUint32(out, uint32(char))
		}
		return out
	}
	for name, test := range map[string]struct {
		written []byte
		want    string
	}{
		"UTF-32, little endian": {utf32(binary.LittleEndian), "my.yaml:1: is written in UTF-32"},
		"UTF-32, big endian":    {utf32(binary.BigEndian), "my.yaml:1: is written in UTF-32"},
		"UTF-16 without a mark": {utf16Of(text, binary.LittleEndian)[2:], "my.yaml:1: has a character NUL"},
		"Latin-1":               {[]byte("# a\n# gr\xfc\xdfe\n" + text), "my.yaml:2: is not UTF-8: Latin-1?"},
		"cut off in a letter":   {[]byte(text + "# \xe6\x97"), "my.yaml:3: is not UTF-8"},
	} {
		if _, err := Render(test.written, "my.yaml", Options{Images: images()}); err == nil || !strings.HasPrefix(err.Error(), test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
