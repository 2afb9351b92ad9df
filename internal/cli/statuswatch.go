package cli

import (
	"cmp"
	"slices"

	"github.com/spf13/cobra"

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
// goes, as kubectl get --watch does. For programs it prints the whole each time.
func (a *app) watchStatus(cmd *cobra.Command, client verbs, in e2eimage.StatusInput, flags statusFlags) error {
	forPeople := flags.output == "" || flags.output == formatWide
	a.watching = true
	before := map[rowKey]shownRow{}
	out, begun, consumers := a.tableWriter(), false, false
	err := client.WatchStatus(cmd.Context(), in, func(result *e2eimage.StatusResult) error {
		if !forPeople {
			if begun && flags.output == formatYAML {
				if err := a.println("---"); err != nil {
					return err
				}
			}
			begun = true
			return a.printObject(flags.output, kindStatus, result)
		}
		if len(result.Images) == 0 && !begun {
			a.reporter().Info(nothingIn(result.Namespace) + "; waiting")
			return nil
		}
		view := statusView{
			watched: true, wide: flags.output == formatWide, allNamespaces: flags.allNamespaces, consumers: consumers ||
				ofSeveral(result.Images),
		}
		if view.consumers && !consumers {
			// The rows before do not say whose they are.
			consumers, begun, before = true, false, map[rowKey]shownRow{}
		}
		shown := a.changedRows(view, result.Images, before)
		if len(shown.rows) == 0 {
			return nil
		}
		shown.untitled = begun
		begun = true
		return shown.printTo(out, screen{coloured: a.stdout().coloured})
	})
	return err
}

// changedRows are the rows that are not what was shown before, and those of what went, laid
// out as the whole table is.
func (a *app) changedRows(view statusView, images []e2eimage.ImageStatus, before map[rowKey]shownRow) *table {
	all := slices.Concat(images, gone(images, before))
	var changed []e2eimage.ImageStatus
	isChanged := make([]bool, len(all))
	for i, image := range all {
		key, row := keyOf(image), view.row(image)
		ageless := slices.Delete(row, view.ageAt(), view.ageAt()+1)
		if !slices.Equal(before[key].ageless, ageless) {
			changed, isChanged[i] = append(changed, image), true
		}
		before[key] = shownRow{image: image, ageless: ageless}
		if image.State == stateGone {
			delete(before, key)
		}
	}
	on := a.screenFor(view)
	if on.width == 0 {
		return view.table(changed)
	}
	whole := view.table(all)
	whole.fit(on.width)
	var rows [][]string
	for i, row := range whole.rows {
		if isChanged[i] {
			rows = append(rows, row)
		}
	}
	whole.rows = rows
	return whole
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
