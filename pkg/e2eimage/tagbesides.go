package e2eimage

import (
	"context"
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// alike warns of a new record of what another name has already.
func (r *tagRun) alike() {
	for _, image := range recordable(r.in.Suite) {
		other := sameSource(r.records, image)
		if other == "" || r.had[image.Name] || inFile(image, r.in.Suite) {
			continue
		}
		r.client.report.Warn(fmt.Sprintf("%s: %s has this source already; did you mean it?\nif so, take this one away: %s",
			image.Name, other, typedAt("clean", image.Name, r.kube.namespace, r.consumer, r.in.Suite)))
	}
}

// besides warns of a second record of an image, for the consumer that is called after the
// Kind cluster since nobody said one: another consumer may have been meant, and readers
// have to ask from now on.
func (r *tagRun) besides(ctx context.Context) {
	var created []string
	for _, wish := range r.wishes {
		if !r.had[wish.Name] {
			created = append(created, wish.Name)
		}
	}
	if r.in.Suite.Consumer != "" || len(created) == 0 {
		return
	}
	sets, err := r.kube.records.List(ctx, r.kube.namespace)
	if err != nil {
		// It is only a word of advice: what was wanted is done.
		return
	}
	for _, set := range sets {
		if names := namesIn(set, created); set.Consumer != r.consumer && len(names) > 0 {
			r.client.report.Warn(besidesText(names, r, set))
		}
	}
}

func besidesText(names []string, r *tagRun, other *record.Set) string {
	all := strings.Join(names, " ")
	return fmt.Sprintf("%s: recorded for consumer %s, the name of the Kind cluster; consumer %s has a record of it, "+
		"too\nif you meant that one, remove this record: %s --scope=cluster\nthen tag with --consumer %s",
		strings.Join(names, ", "), r.consumer, other.Consumer,
		typedAt("clean", all, r.kube.namespace, r.consumer, r.in.Suite), other.Consumer)
}
