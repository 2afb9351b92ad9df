package cli

import (
	"cmp"
	"context"
	"errors"
	"slices"

	"github.com/liggitt/tabwriter"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// stateGone is shown of an image whose record or tag went while it was watched.
const stateGone e2eimage.State = "Gone"

// rowKey tells rows apart. Tags of nodes whose record is gone may share the rest.
type rowKey struct{ namespace, consumer, name, orphan string }

// shownRow is an image as it was printed last.
type shownRow struct {
	image e2eimage.ImageStatus
	// ageless are its cells without the age, which alone is no change.
	ageless []string
}

// watchStatus prints the table, and then a row for each image whenever that changes or
// goes, as kubectl get --watch does. For programs it prints the whole each time. ctx ends
// with the timeout, if one was asked for, and whole does not: that is how long it is to
// look, and its end is no error.
func (a *app) watchStatus(ctx, whole context.Context, client verbs, in e2eimage.StatusInput, output string) error {
	a.watching = true
	watch, looked := a.newStatusWatch(in.AllNamespaces, output), false
	err := client.WatchStatus(ctx, in, func(result *e2eimage.StatusResult) error {
		looked = true
		return watch.show(result)
	})
	if looked && ctx.Err() != nil && whole.Err() == nil && errors.Is(err, context.DeadlineExceeded) {
		return nil
	}
	return err
}

// statusWatch is what a watch has shown so far.
type statusWatch struct {
	app           *app
	allNamespaces bool
	// output is the format.
	output string
	out    *tabwriter.Writer
	// begun is set once there are titles, or an object.
	begun bool
	// consumers is set once images of several were seen.
	consumers bool
	before    map[rowKey]shownRow
	// widths are those of the columns above, by title. They only grow: rows would not line
	// up with those above them.
	widths map[string]int
	// columns is how many of them there are.
	columns int
}

func (a *app) newStatusWatch(allNamespaces bool, output string) *statusWatch {
	watch := &statusWatch{app: a, allNamespaces: allNamespaces, output: output}
	watch.anew()
	return watch
}

// anew lets what comes be a table of its own, with titles and all rows.
func (w *statusWatch) anew() {
	w.out, w.begun, w.before = w.app.tableWriter(), false, map[rowKey]shownRow{}
	// Ages grow by themselves.
	w.widths = map[string]int{"AGE": len(orNone(""))}
}

// show prints what is new.
func (w *statusWatch) show(result *e2eimage.StatusResult) error {
	if w.output != "" && w.output != formatWide {
		if w.begun && w.output == formatYAML {
			if err := w.app.println("---"); err != nil {
				return err
			}
		}
		w.begun = true
		return w.app.printObject(w.output, kindOf(result), result)
	}
	if len(result.Images) == 0 && !w.begun {
		w.app.reporter().Info(nothingIn(result.Namespace) + "; waiting")
		return nil
	}
	if !w.consumers && ofSeveral(result.Images) {
		// The rows before do not say whose they are.
		w.consumers = true
		w.anew()
	}
	view := statusView{
		watched: true, wide: w.output == formatWide, allNamespaces: w.allNamespaces, consumers: w.consumers,
	}
	shown := w.changed(view, result.Images)
	if len(shown.rows) == 0 {
		return nil
	}
	shown.untitled, w.begun = w.begun, true
	return shown.printTo(w.out, screen{coloured: w.app.stdout().coloured})
}

// changed are the rows that are not what was shown before, and those of what went, laid
// out as those above them are. Where that is not possible, a new table begins.
func (w *statusWatch) changed(view statusView, images []e2eimage.ImageStatus) *table {
	all := slices.Concat(images, gone(images, w.before))
	on := w.app.screenFor(view)
	whole := view.table(all)
	if on.width > 0 {
		whole = w.fitted(view, all, on.width)
	}
	var changed []e2eimage.ImageStatus
	var rows [][]string
	for i, image := range all {
		key, row := keyOf(image), view.row(image)
		ageless := slices.Delete(row, view.ageAt(), view.ageAt()+1)
		if !slices.Equal(w.before[key].ageless, ageless) {
			changed = append(changed, image)
			if on.width > 0 {
				rows = append(rows, whole.rows[i])
			}
		}
		w.before[key] = shownRow{image: image, ageless: ageless}
		if image.State == stateGone {
			delete(w.before, key)
		}
	}
	if on.width == 0 {
		return view.table(changed)
	}
	whole.rows = rows
	if len(rows) > 0 {
		w.widths, w.columns = whole.widths(), len(whole.columns)
	}
	return whole
}

// fitted is the table below the rows that are there. Where a column has outgrown the
// terminal, or another one would have to be left out, it begins anew.
func (w *statusWatch) fitted(view statusView, images []e2eimage.ImageStatus, width int) *table {
	laidOut := func() *table {
		t := view.table(images)
		t.floors = w.widths
		t.fit(width)
		return t
	}
	below := laidOut()
	if !w.begun || len(below.columns) == w.columns && below.width() <= width {
		return below
	}
	kept := *w
	w.anew()
	anew := laidOut()
	if anew.width() >= below.width() && len(below.columns) == kept.columns {
		// It is a narrow terminal, and titles make it no wider.
		*w = kept
		return below
	}
	return anew
}

// gone are images that were shown and are no more. One that was asked for, and was not
// recorded then or is not now, goes on in another row.
func gone(images []e2eimage.ImageStatus, before map[rowKey]shownRow) []e2eimage.ImageStatus {
	now := map[rowKey]bool{}
	for _, image := range images {
		now[keyOf(image)] = true
	}
	var went []e2eimage.ImageStatus
	for key, shown := range before {
		if now[key] {
			continue
		}
		delete(before, key)
		asked := func(i e2eimage.ImageStatus) bool { return i.Name == key.name && isUnrecorded(i) }
		if isUnrecorded(shown.image) || slices.ContainsFunc(images, asked) {
			continue
		}
		was := shown.image
		went = append(went, e2eimage.ImageStatus{
			Namespace: was.Namespace, Consumer: was.Consumer, Name: was.Name, Image: was.Image, Tag: was.Tag,
			Recorded: was.Recorded, State: stateGone,
		})
	}
	slices.SortFunc(went, func(a, b e2eimage.ImageStatus) int {
		return cmp.Or(cmp.Compare(a.Namespace, b.Namespace), cmp.Compare(a.Consumer, b.Consumer),
			cmp.Compare(a.Name, b.Name), cmp.Compare(a.Image, b.Image))
	})
	return went
}

// isUnrecorded tells whether an image is only shown since it was asked for.
func isUnrecorded(image e2eimage.ImageStatus) bool {
	return image.Image == "" && image.State == e2eimage.StateUnfinished
}

func keyOf(image e2eimage.ImageStatus) rowKey {
	key := rowKey{namespace: image.Namespace, consumer: image.Consumer, name: image.Name}
	if image.Name == "" || image.State == e2eimage.StateOrphaned {
		key.orphan = image.Image
	}
	return key
}

// ageAt is the column with the age.
func (v statusView) ageAt() int {
	return slices.IndexFunc(v.columns(), func(c column) bool { return c.title == "AGE" })
}
