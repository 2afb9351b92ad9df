package e2eimage

import (
	"context"
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// recorded is a record that a reader found.
type recorded struct {
	Image    config.Image
	Evidence *record.Evidence
}

// readRecords returns the records of the suite's images, in their order, and
// the consumer that has them: the one that was named, else the only one that
// has these images in the namespace. One API call.
func (k *kube) readRecords(ctx context.Context, suite config.Suite) (string, []recorded, error) {
	sets, err := k.setsFor(ctx, suite)
	if err != nil {
		return "", nil, err
	}
	names := recordedNames(suite)
	var having []*record.Set
	for _, set := range sets {
		if hasAll(set, names) {
			having = append(having, set)
		}
	}
	switch len(having) {
	case 1:
	case 0:
		return "", nil, k.noRecord(ctx, suite, names, sets)
	default:
		var consumers []string
		for _, set := range having {
			consumers = append(consumers, set.Consumer)
		}
		return "", nil, &UsageError{fmt.Errorf("%s is recorded for several consumers in namespace %q: %s; say which with --consumer",
			strings.Join(names, ", "), k.namespace, strings.Join(consumers, ", "))}
	}
	set := having[0]
	var found []recorded
	for _, image := range suite.Images {
		if image.External != "" {
			continue
		}
		evidence, err := set.Entry(image.Name)
		if err != nil {
			return "", nil, classify(err)
		}
		found = append(found, recorded{Image: image, Evidence: evidence})
	}
	return set.Consumer, found, nil
}

func (k *kube) setsFor(ctx context.Context, suite config.Suite) ([]*record.Set, error) {
	if suite.Consumer == "" {
		return k.records.List(ctx, k.namespace)
	}
	set, err := k.records.Get(ctx, k.namespace, suite.Consumer)
	if err != nil {
		return nil, err
	}
	return []*record.Set{set}, nil
}

func recordedNames(suite config.Suite) []string {
	var names []string
	for _, image := range suite.Images {
		if image.External == "" {
			names = append(names, image.Name)
		}
	}
	return names
}

func hasAll(set *record.Set, names []string) bool {
	has := map[string]bool{}
	for _, name := range set.Names() {
		has[name] = true
	}
	for _, name := range names {
		if !has[name] {
			return false
		}
	}
	return true
}

// noRecord says what is recorded instead of what was asked for.
func (k *kube) noRecord(ctx context.Context, suite config.Suite, names []string, sets []*record.Set) error {
	if suite.Consumer != "" {
		// Worth a second call: the reader wants to know where it is instead.
		if listed, err := k.records.List(ctx, k.namespace); err == nil {
			sets = listed
		}
	}
	message := fmt.Sprintf("no record of %s in namespace %q", strings.Join(names, ", "), k.namespace)
	if suite.Consumer != "" {
		message += fmt.Sprintf(" for consumer %q", suite.Consumer)
	}
	there := ""
	for _, set := range sets {
		if recorded := set.Names(); len(recorded) > 0 {
			there += fmt.Sprintf("\n  %s for consumer %s", strings.Join(recorded, ", "), set.Consumer)
		}
	}
	if there != "" {
		message += "; recorded there:" + there
	}
	return fmt.Errorf("%s\nrecord it with: kubectl e2eimage tag %s -n %s, or look elsewhere with -n and --consumer",
		message, strings.Join(names, " "), k.namespace)
}

// notReady says that a record is only claimed or just being taken away.
func (r recorded) notReady(consumer string) error {
	if r.Evidence.State == record.Ready {
		return nil
	}
	return &InconsistentError{fmt.Errorf("%s is %s for consumer %s, not recorded: a run of tag or clean is under way or was killed\nrun again: kubectl e2eimage tag %s --consumer %s",
		r.Image.Name, strings.ToLower(r.Evidence.State), consumer, r.Image.Name, consumer)}
}
