package cli

import (
	"errors"
	"slices"

	"github.com/spf13/cobra"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// watchStatus prints the table, and then a row for each image whenever that changes, as
// kubectl get --watch does. For programs it prints the whole each time.
func (a *app) watchStatus(cmd *cobra.Command, client verbs, in e2eimage.StatusInput, flags statusFlags) error {
	forPeople := flags.output == "" || flags.output == formatWide
	before := map[string][]string{}
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
			wide: flags.output == formatWide, allNamespaces: flags.allNamespaces, consumers: consumers ||
				ofSeveral(result.Images),
		}
		if view.consumers && !consumers {
			// The rows before do not say whose they are.
			consumers, begun, before = true, false, map[string][]string{}
		}
		shown := a.changedRows(view, result.Images, before)
		if len(shown.rows) == 0 {
			return nil
		}
		shown.untitled = begun
		begun = true
		return shown.printTo(out, screen{coloured: a.stdout().coloured})
	})
	if stopped := new(SignalError); errors.As(err, &stopped) {
		// Nothing else ends it.
		return stopped
	}
	return err
}

// changedRows are the rows that are not what was shown before, laid out as the whole table
// is. The age alone is no change.
func (a *app) changedRows(view statusView, images []e2eimage.ImageStatus, before map[string][]string) *table {
	var changed []e2eimage.ImageStatus
	isChanged := make([]bool, len(images))
	for i, image := range images {
		key := image.Namespace + "/" + image.Consumer + "/" + image.Name + "/"
		if image.State == e2eimage.StateOrphaned {
			key += image.Image
		}
		row := view.row(image)
		ageless := slices.Delete(row, view.ageAt(), view.ageAt()+1)
		if !slices.Equal(before[key], ageless) {
			changed, isChanged[i] = append(changed, image), true
		}
		before[key] = ageless
	}
	on := a.screenFor(view)
	if on.width == 0 {
		return view.table(changed)
	}
	all := view.table(images)
	all.fit(on.width)
	var rows [][]string
	for i, row := range all.rows {
		if isChanged[i] {
			rows = append(rows, row)
		}
	}
	all.rows = rows
	return all
}

// ageAt is the column with the age.
func (v statusView) ageAt() int {
	return slices.IndexFunc(v.columns(), func(c column) bool { return c.title == "AGE" })
}
