package cli

import (
	"cmp"
	"fmt"
	"slices"
	"strings"
	"time"

	"k8s.io/apimachinery/pkg/util/duration"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/progress"
)

// statusView is how status is shown.
type statusView struct {
	wide, allNamespaces bool
	// watched is set where rows follow one after the other.
	watched bool
	// consumers is set where images of several are shown.
	consumers bool
}

// Tags give way first on a narrow terminal: a name is what is typed next.
func (v statusView) columns() []column {
	var columns []column
	if v.allNamespaces {
		columns = append(columns, column{title: "NAMESPACE", least: 12, yields: 2})
	}
	columns = append(columns, column{title: "NAME", least: 12, yields: 4})
	if v.consumers {
		columns = append(columns, column{title: "CONSUMER", least: 12, yields: 3})
	}
	columns = append(columns, column{title: v.titled("STATE", len(e2eimage.StateMissing)), colour: colourOf},
		column{title: v.titled("READY", len(orNone("")))}, column{title: v.titled("NODES", len(orNone("")))},
		column{title: "TAG", least: 12, yields: 1, leaves: 1}, column{title: "AGE", leaves: 2})
	if v.wide {
		for _, title := range []string{"IMAGE", "IMAGE ID", "WORKLOADS", "BLOBS", "SOURCE", "ENGINE", "PLATFORM", "BY"} {
			columns = append(columns, column{title: title})
		}
	}
	return columns
}

// titled is the title of a column, with room for what it mostly comes to have: rows that
// follow in a watch have no titles, and line up all the same.
func (v statusView) titled(title string, room int) string {
	if !v.watched {
		return title
	}
	return fmt.Sprintf("%-*s", room, title)
}

// row is what is shown of an image.
func (v statusView) row(image e2eimage.ImageStatus) []string {
	var row []string
	if v.allNamespaces {
		row = append(row, image.Namespace)
	}
	row = append(row, image.Name)
	if v.consumers {
		row = append(row, orNone(image.Consumer))
	}
	row = append(row, string(image.State), readyOf(image), nodesOf(image), orNone(image.Tag), age(image))
	if v.wide {
		row = append(row, orNone(image.Image), shortID(image.ImageID), firstWorkload(image), blobsOf(image),
			orNone(image.Source), orNone(image.Engine), orNone(image.Platform), orNone(image.By))
	}
	return row
}

// statusTable has a row for each image. In the wide one, more workloads have rows of
// their own: one list of them would be too wide.
func (v statusView) table(images []e2eimage.ImageStatus) *table {
	all := &table{columns: v.columns()}
	before := slices.IndexFunc(all.columns, func(c column) bool { return c.title == "WORKLOADS" })
	for _, image := range images {
		all.add(v.row(image)...)
		if v.wide {
			for _, more := range image.Workloads[min(1, len(image.Workloads)):] {
				all.add(append(make([]string, before), describeWorkload(more))...)
			}
		}
	}
	return all
}

// ofSeveral tells whether the images are of several consumers.
func ofSeveral(images []e2eimage.ImageStatus) bool {
	first := ""
	for _, image := range images {
		if first != "" && image.Consumer != "" && image.Consumer != first {
			return true
		}
		first = cmp.Or(image.Consumer, first)
	}
	return false
}

func orNone(text string) string { return cmp.Or(text, "<none>") }

func shortID(id string) string {
	_, hex, _ := strings.Cut(id, ":")
	return orNone(hex[:min(len(hex), 12)])
}

// readyOf is how many pods run the recorded image, of how many; of Jobs, how they stand.
func readyOf(image e2eimage.ImageStatus) string {
	var phases []string
	for _, workload := range image.Workloads {
		if workload.Phase == "" {
			return fmt.Sprintf("%d/%d", image.Running, image.Wanted)
		}
		if !slices.Contains(phases, workload.Phase) {
			phases = append(phases, workload.Phase)
		}
	}
	return orNone(strings.Join(phases, ","))
}

func nodesOf(image e2eimage.ImageStatus) string {
	all := len(image.NodesWith) + len(image.NodesWithout)
	if image.Image == "" || all == 0 {
		return orNone("")
	}
	if image.Registry != "" {
		return "pulled"
	}
	return fmt.Sprintf("%d/%d", len(image.NodesWith), all)
}

// blobsOf is what the image's blobs take on the node where that is most, and how much of that
// no other image shares.
func blobsOf(image e2eimage.ImageStatus) string {
	if len(image.Disk) == 0 {
		return orNone("")
	}
	most := slices.MaxFunc(image.Disk, func(a, b e2eimage.NodeDisk) int { return cmp.Compare(a.BlobBytes, b.BlobBytes) })
	return fmt.Sprintf("%s, %s unshared", progress.Bytes(most.BlobBytes), progress.Bytes(most.UnsharedBlobBytes))
}

// firstWorkload is what stands beside the image.
func firstWorkload(image e2eimage.ImageStatus) string {
	if len(image.Workloads) == 0 {
		return orNone("")
	}
	return describeWorkload(image.Workloads[0])
}

// describeWorkload is a workload with its pods, or how a Job stands.
func describeWorkload(workload e2eimage.WorkloadStatus) string {
	kind, name, _ := strings.Cut(workload.Name, "/")
	kind, _, _ = strings.Cut(kind, ".")
	if workload.Namespace != "" {
		kind = workload.Namespace + "/" + kind
	}
	far := fmt.Sprintf("%s/%s %d/%d", kind, name, workload.Running, workload.Wanted)
	if workload.Phase != "" {
		far = fmt.Sprintf("%s/%s %s", kind, name, workload.Phase)
	}
	if workload.Reason != "" {
		far += ", " + workload.Reason
	}
	return far
}

func age(image e2eimage.ImageStatus) string {
	if image.Recorded == nil {
		return orNone("")
	}
	return duration.HumanDuration(time.Since(image.Recorded.Time))
}

// printStatus prints the table, and below it what is wrong and what to type next.
func (a *app) printStatus(view statusView, result *e2eimage.StatusResult, next string) error {
	if len(result.Images) == 0 {
		a.reporter().Info(nothingIn(result.Namespace))
		return nil
	}
	// A wide table is as wide as it is.
	if err := view.table(result.Images).printTo(a.tableWriter(), a.screenFor(view)); err != nil {
		return err
	}
	if !view.wide {
		a.tellTroubles(result.Images)
	}
	if next != "" {
		a.reporter().Info(next)
	}
	return nil
}

func (a *app) screenFor(view statusView) screen {
	on := a.stdout()
	if view.wide {
		on.width = 0
	}
	return on
}

func nothingIn(namespace string) string {
	if namespace == "" {
		return "nothing is recorded in any namespace"
	}
	return fmt.Sprintf("nothing is recorded in namespace %s", namespace)
}
