package e2eimage

import (
	"context"
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// warnOfSameSource warns of a new record of what another name has already, before it is made.
func (r *tagRun) warnOfSameSource() {
	for _, one := range r.images {
		image := one.image
		other := sameSource(r.records, image)
		if other == "" || one.had || inFile(image, r.in.Suite) {
			continue
		}
		text := fmt.Sprintf("%s: %s has this source already; did you mean that one?", image.Name, other)
		if !r.in.DryRun {
			text += fmt.Sprintf("\n%s is recorded all the same; to take it away: %s", image.Name,
				typedAt("clean", image.Name, r.kube.namespace, r.consumer, r.in.Suite))
		}
		r.client.report.Warn(text)
	}
}

// warnOfOtherConsumers warns of a second record of an image, for the consumer that is called after the
// Kind cluster since nobody said one: another consumer may have been meant, and readers
// have to ask from now on.
func (r *tagRun) warnOfOtherConsumers(ctx context.Context) {
	var created []string
	for _, image := range r.images {
		if !image.had {
			created = append(created, image.image.Name)
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
