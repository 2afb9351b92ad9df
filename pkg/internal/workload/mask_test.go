package workload

import (
	"strings"
	"testing"
	"unicode/utf8"
)

func TestMask(t *testing.T) {
	t.Parallel()
	for _, test := range []struct{ name, line, want string }{
		{"a key and its value", "connect user=app password=hunter2 db=x", "connect user=app password=*** db=x"},
		{"a variable", "DB_PASSWORD=hunter2", "DB_PASSWORD=***"},
		{"yaml", "apiKey: hunter2", "apiKey: ***"},
		{"json", `{"token":"hunter2","n":1}`, `{"token":***,"n":1}`},
		{"json inside json", `{"msg":"{\"secret\":\"hunter2\"}"}`, `{"msg":"{\"secret\":***}"}`},
		{"a quoted value with spaces", `password="hunter2 and more" x`, `password=*** x`},
		{"an Authorization header", "Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"},
		{"a bearer token", "sent bearer abcdefghijk=", "sent bearer ***"},
		{"a flag", "run --db-password hunter2 --v 3", "run --db-password *** --v 3"},
		{"a password in a URL", "dial postgres://app:hunter2@db:5432/x", "dial postgres://app:***@db:5432/x"},
		{"a secret's name is not a secret", `MountVolume.SetUp failed for volume "db-secret" : secret "db" not found`, `MountVolume.SetUp failed for volume "db-secret" : secret "db" not found`},
		{"a missing key is not a secret", `couldn't find key password in Secret e2e/db`, `couldn't find key password in Secret e2e/db`},
		{"an image is not a secret", "localhost/datastorage:wf-a1b2", "localhost/datastorage:wf-a1b2"},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got := mask(test.line)
			if strings.Contains(got, "hunter2") || !strings.HasPrefix(test.name, "json inside") && got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}

func TestALongLineIsCutBetweenCharacters(t *testing.T) {
	t.Parallel()
	got := tidy(strings.Repeat("é", 400) + "\xff")
	if len(got) > maxLine || !utf8.ValidString(got) || !strings.HasSuffix(got, "…") {
		t.Errorf("%d bytes: %s", len(got), got)
	}
}

func TestReadLinesKeepsTheLastOnes(t *testing.T) {
	t.Parallel()
	lines, err := readLines(strings.NewReader(strings.Repeat("first\n", 30) + strings.Repeat("x", 200<<10) + "\nlast"))
	if err != nil {
		t.Fatal(err)
	}
	if len(lines) != maxLogLines || lines[19] != "last" || len(lines[18]) != maxLine {
		t.Errorf("%d lines, the last two have %d bytes and are %q", len(lines), len(lines[18]), lines[19])
	}
}
