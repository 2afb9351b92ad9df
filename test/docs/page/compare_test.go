package page

import (
	"strings"
	"testing"
)

func TestWhatIsShownIsCompared(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		shown, stdout, stderr string
		differs               string
	}{
		"the same":                      {shown: "a\nb", stdout: "a\nb\n"},
		"nothing, where nothing comes":  {},
		"another line":                  {shown: "a", stdout: "b\n", differs: "the page shows"},
		"a line too few":                {shown: "a", stdout: "a\nb\n", differs: "does not show"},
		"a line too many":               {shown: "a\nb", stdout: "a\n", differs: "the page shows"},
		"lines in another order":        {shown: "a\nb", stdout: "b\na\n", differs: "the page shows"},
		"lines left out":                {shown: "a\n...\nd", stdout: "a\nb\nc\nd\n"},
		"the rest left out":             {shown: "a\n...", stdout: "a\nb\n"},
		"a word left out":               {shown: "pod/x-… ready", stdout: "pod/x-5f7c8-abc ready\n"},
		"another tag":                   {shown: "x:s-a1b2c3d4", stdout: "x:s-00ff00ff\n"},
		"not a tag":                     {shown: "x:s-a1b2c3d4", stdout: "x:dev\n", differs: "the page shows"},
		"another image ID and duration": {shown: "sha256:0123abcd in 1.2s", stdout: "sha256:beef00 in 1m3s\n"},
		"another size":                  {shown: "sent 6.1 MB", stdout: "sent 900 kB\n"},
		"other widths of columns":       {shown: "NAME  STATE\na     ok", stdout: "NAME      STATE\na         ok\n"},
		"progress that is not shown":    {shown: "a", stdout: "a\n", stderr: "loading\n"},
		"an error that is shown":        {shown: "error: no", stderr: "warning\nerror: no\n"},
		"another error":                 {shown: "error: no", stderr: "error: yes\n", differs: "the page shows"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := Command{Shown: strings.Split(c.shown, "\n")}.Compare(c.stdout, c.stderr)
			if (err == nil) != (c.differs == "") || err != nil && !strings.Contains(err.Error(), c.differs) {
				t.Errorf("got %v, want %q", err, c.differs)
			}
		})
	}
}
