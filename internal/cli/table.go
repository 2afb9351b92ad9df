package cli

import (
	"strings"
	"unicode/utf8"

	"github.com/liggitt/tabwriter"
	"k8s.io/cli-runtime/pkg/printers"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// table is printed as kubectl prints its own. On a terminal no line is longer than that
// is wide: columns that may be shortened give way, the first of them first.
type table struct {
	columns []column
	rows    [][]string
	// untitled leaves out the titles, for rows that follow others.
	untitled bool
	// floors are widths, by title, that columns keep: those of rows above it.
	floors map[string]int
}

// column is one of a table.
type column struct {
	title string
	// least is how short its cells may become; 0 for never.
	least int
	// yields is when it gives way, from 1 on.
	yields int
	// leaves is when it is left out where shortening is not enough, from 1 on; 0 for never.
	leaves int
	// colour of a cell; nil for none.
	colour func(string) string
}

// gap is what kubectl leaves between columns, which are no narrower than leastColumn.
const (
	gap         = 3
	leastColumn = 6
)

// add adds a row. A cell cannot make others, nor rows.
func (t *table) add(cells ...string) {
	for i := range cells {
		cells[i] = foreign.Line(cells[i])
	}
	t.rows = append(t.rows, cells)
}

// width is how long the longest line is.
func (t *table) width() int {
	last := len(t.columns) - 1
	total := t.widest(last)
	for i := range last {
		total += max(leastColumn, t.widest(i)+gap)
	}
	return total
}

func (t *table) widest(at int) int {
	most := max(t.floors[t.columns[at].title], utf8.RuneCountInString(t.columns[at].title))
	for _, row := range t.rows {
		if at < len(row) {
			most = max(most, utf8.RuneCountInString(row[at]))
		}
	}
	return most
}

// fit makes the table no wider: it shortens columns, and where that is not enough, it
// leaves out those that are missed least.
func (t *table) fit(width int) {
	whole := *t
	for out := range len(t.columns) {
		*t = whole.without(out)
		t.narrow(width)
		if t.width() <= width {
			return
		}
	}
}

// widths are how wide the columns are, by title.
func (t *table) widths() map[string]int {
	widths := map[string]int{}
	for at, column := range t.columns {
		widths[column.title] = t.widest(at)
	}
	return widths
}

// narrow shortens columns in their turn.
func (t *table) narrow(width int) {
	for turn := 1; turn <= len(t.columns); turn++ {
		for at, column := range t.columns {
			if over := t.width() - width; over > 0 && column.yields == turn {
				t.shorten(at, max(column.least, t.floors[column.title], t.widest(at)-over))
			}
		}
	}
}

// without is a copy without the columns that are left out first, so many of them.
func (t *table) without(out int) table {
	left := table{untitled: t.untitled, floors: t.floors, rows: make([][]string, len(t.rows))}
	for at, column := range t.columns {
		if column.leaves > 0 && column.leaves <= out {
			continue
		}
		left.columns = append(left.columns, column)
		for i, row := range t.rows {
			if at < len(row) {
				left.rows[i] = append(left.rows[i], row[at])
			}
		}
	}
	return left
}

// shorten shortens the cells of a column. Where cells could no longer be told apart, it
// leaves them longer.
func (t *table) shorten(at, room int) {
	var cells []string
	for _, row := range t.rows {
		if at < len(row) {
			cells = append(cells, row[at])
		}
	}
	for whole := t.widest(at); room < whole; room++ {
		// Names mostly differ at their ends: more of that is kept first.
		for _, head := range heads(room) {
			if short, apart := shortened(cells, head, room); apart {
				for i, row := range t.rows {
					if at < len(row) {
						t.rows[i][at] = short[row[at]]
					}
				}
				return
			}
		}
	}
}

// heads are how many letters may be kept before the cut, the best first.
func heads(room int) []int {
	best := (room - 1) / 2
	found := []int{best}
	for off := 1; off < room; off++ {
		for _, head := range []int{best - off, best + off} {
			if head >= 0 && head < room {
				found = append(found, head)
			}
		}
	}
	return found
}

const ellipsis = "…"

// shortened cuts the middle out of those that are longer than room, and tells whether they
// can still be told apart.
func shortened(cells []string, head, room int) (short map[string]string, apart bool) {
	short, seen := map[string]string{}, map[string]string{}
	for _, cell := range cells {
		letters, cut := []rune(cell), cell
		if len(letters) > room {
			cut = string(letters[:head]) + ellipsis + string(letters[len(letters)-(room-1-head):])
		}
		if other, taken := seen[cut]; taken && other != cell {
			return nil, false
		}
		short[cell], seen[cut] = cut, cell
	}
	return short, true
}

// tableWriter keeps the widths of the rows before.
func (a *app) tableWriter() *tabwriter.Writer { return printers.GetNewTabWriter(a.host.Streams.Out) }

// printTo prints the table.
func (t *table) printTo(out *tabwriter.Writer, on screen) error {
	if on.width > 0 {
		t.fit(on.width)
	}
	for _, row := range t.lines(on.coloured) {
		if _, err := out.Write([]byte(strings.Join(row, "\t") + "\n")); err != nil {
			return err
		}
	}
	return out.Flush()
}

// lines are the titles and rows, with colours in them.
func (t *table) lines(coloured bool) [][]string {
	titles := make([]string, 0, len(t.columns))
	for _, column := range t.columns {
		titles = append(titles, column.title)
	}
	lines := t.rows
	if !t.untitled {
		lines = append([][]string{titles}, t.rows...)
	}
	for i, row := range lines {
		for at, column := range t.columns {
			if at >= len(row) || !coloured || column.colour == nil {
				continue
			}
			colour := ordinary
			if i > 0 || t.untitled {
				colour = column.colour(row[at])
			}
			row[at] = colour + row[at] + ordinary
		}
	}
	return lines
}
