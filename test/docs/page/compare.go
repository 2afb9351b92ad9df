package page

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
)

// Compare holds what a command printed against what the page shows: all of stdout has to
// be there, in its order; of stderr as much as the page likes. A line of dots stands for
// any lines, dots in a line for anything.
func (c Command) Compare(stdout, stderr string) error {
	out, err := lines(stdout), lines(stderr)
	var wanted string
	open := false
	for _, shown := range lines(strings.Join(c.Shown, "\n")) {
		if isDots(shown) {
			open = true
			continue
		}
		pattern := patternOf(shown)
		if at := find(pattern, out, open); at >= 0 {
			out, open = out[at+1:], false
		} else if at := find(pattern, err, true); at >= 0 {
			err = err[at+1:]
		} else {
			wanted = shown
			break
		}
	}
	switch {
	case wanted != "":
		return fmt.Errorf("the page shows\n\t%s\nbut what comes is\n%s", wanted, indent(append(out, err...)))
	case len(out) > 0 && !open:
		return fmt.Errorf("the page does not show\n%s", indent(out))
	}
	return nil
}

// CompareIn does so with the files that the script has left in a folder; the cluster of
// the tests is called as the pages call theirs.
func (c Command) CompareIn(folder string, known *strings.Replacer) error {
	var out [2]string
	for i, stream := range []string{"out", "err"} {
		text, err := os.ReadFile(filepath.Join(folder, fmt.Sprintf("%d.%s", c.Line, stream)))
		if err != nil {
			return err
		}
		out[i] = known.Replace(string(text))
	}
	return c.Compare(out[0], out[1])
}

func isDots(line string) bool { return line == "..." || line == "…" }

// find is the place of the first line that matches; only the very next one may, unless any
// may stand before.
func find(pattern *regexp.Regexp, in []string, any bool) int {
	for i, line := range in {
		if pattern.MatchString(squeeze(line)) {
			return i
		}
		if !any {
			break
		}
	}
	return -1
}

// random are parts of a line that are others in each run.
var random = regexp.MustCompile(`\.\.\.|…|sha256:[0-9a-f]{6,64}|\b[0-9a-f]{8}\b|\b\d+(\.\d+)?(ns|µs|ms|s|m|h|d|kB|MB|GB| kB| MB| GB| B)\b|\b\d{4}-\d\d-\d\dT[0-9:.]+Z?`)

var patterns = []struct{ shown, stands string }{
	{`^(\.\.\.|…)$`, `.*`},
	{`^sha256:`, `sha256:[0-9a-f]+`},
	{`^[0-9a-f]{8}$`, `[0-9a-f]{8}`},
	{`^\d{4}-`, `[0-9TZ:.+-]+`},
	{`(B)$`, `[0-9.]+ ?[kMG]?B`},
	{`[a-zµ]$`, `(?:[0-9.]+(?:ns|µs|ms|s|m|h|d))+`},
}

// patternOf matches what a line may look like in another run.
func patternOf(shown string) *regexp.Regexp {
	shown = squeeze(shown)
	var b strings.Builder
	b.WriteString("^")
	end := 0
	for _, at := range random.FindAllStringIndex(shown, -1) {
		b.WriteString(regexp.QuoteMeta(shown[end:at[0]]))
		part := shown[at[0]:at[1]]
		for _, p := range patterns {
			if regexp.MustCompile(p.shown).MatchString(part) {
				b.WriteString(p.stands)
				break
			}
		}
		end = at[1]
	}
	b.WriteString(regexp.QuoteMeta(shown[end:]) + "$")
	return regexp.MustCompile(b.String())
}

var blanks = regexp.MustCompile(`[ \t]+`)

// squeeze makes runs of blanks one: columns are as wide as what is in them.
func squeeze(line string) string { return strings.TrimSpace(blanks.ReplaceAllString(line, " ")) }

// lines are those with something in them.
func lines(text string) []string {
	var all []string
	for line := range strings.SplitSeq(text, "\n") {
		if strings.TrimSpace(line) != "" {
			all = append(all, line)
		}
	}
	return all
}

func indent(lines []string) string {
	if len(lines) == 0 {
		return "\tnothing"
	}
	return "\t" + strings.Join(lines, "\n\t")
}
