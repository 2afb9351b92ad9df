package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// recorded is a record that a reader found.
type recorded struct {
	Image    config.Image
	Evidence *record.Evidence
	// accompanies: it was not asked for, but manifests may have it, too.
	accompanies bool
	// damage is why the evidence of one that accompanies cannot be read.
	damage error
}

// aliasesOf are what else means a recorded image in manifests and workloads.
func aliasesOf(image config.Image, evidence *record.Evidence) []string {
	aliases := append([]string{evidence.Image}, spellings(evidence.Source, image.Source)...)
	for _, previous := range evidence.Previous {
		aliases = append(aliases, previous.Image)
	}
	if image.Repository != "" {
		aliases = append(aliases, image.Repository)
	}
	return aliases
}

// spellings are how the engines write sources that are references.
func spellings(sources ...string) []string {
	var all []string
	for _, source := range sources {
		if candidates, err := ociimage.Candidates(source); err == nil {
			all = append(all, candidates...)
		}
	}
	return all
}

// readRecords returns the records of the suite's images, in their order, and
// the set of the consumer that has them: the one that was named, else the only one
// that has these images in the namespace. One API call.
func (k *apiServer) readRecords(ctx context.Context, suite config.Suite) (*record.Set, []recorded, error) {
	set, err := k.setWith(ctx, suite, false)
	if err != nil {
		return nil, nil, err
	}
	var found []recorded
	for _, image := range suite.Images {
		if image.External != "" {
			continue
		}
		evidence, err := set.Entry(image.Name)
		if err != nil {
			return nil, nil, err
		}
		found = append(found, recorded{Image: image, Evidence: evidence})
	}
	return set, found, nil
}

// setWith returns the set that has all of the suite's images or, where part will
// do and none has all, the set that has some.
func (k *apiServer) setWith(ctx context.Context, suite config.Suite, part bool) (*record.Set, error) {
	sets, err := k.setsFor(ctx, suite)
	if err != nil {
		return nil, err
	}
	names := recordedNames(suite)
	var all, some []*record.Set
	for _, set := range sets {
		switch has := len(namesIn(set, names)); {
		case has == len(names):
			all = append(all, set)
		case has > 0 && part:
			some = append(some, set)
		}
	}
	if len(all) == 0 {
		all = some
	}
	switch len(all) {
	case 1:
		return all[0], nil
	case 0:
		return nil, k.noRecord(ctx, suite, names, sets)
	}
	var consumers []string
	for _, set := range all {
		consumers = append(consumers, set.Consumer)
	}
	return nil, &UsageError{
		fmt.Errorf("%s is recorded for several consumers in namespace %q: %s; say which with --consumer",
			strings.Join(names, ", "), k.namespace, strings.Join(consumers, ", ")),
	}
}

func (k *apiServer) setsFor(ctx context.Context, suite config.Suite) ([]*record.Set, error) {
	if suite.Consumer == "" {
		return k.records.List(ctx, k.namespace)
	}
	set, err := k.records.Get(ctx, k.namespace, suite.Consumer)
	if err != nil {
		return nil, err
	}
	return []*record.Set{set}, nil
}

// setsAmong returns the sets of the suite's consumer, or of all, and those of all
// consumers in the namespace. Whoever may not list these sees that of the consumer.
func (k *apiServer) setsAmong(ctx context.Context, suite config.Suite) (sets, all []*record.Set, err error) {
	all, err = k.records.List(ctx, k.namespace)
	if suite.Consumer == "" || err != nil && !apierrors.IsForbidden(err) {
		return all, all, err
	}
	if i := slices.IndexFunc(all, func(set *record.Set) bool { return set.Consumer == suite.Consumer }); i >= 0 {
		return all[i : i+1], all, nil
	}
	sets, err = k.setsFor(ctx, suite)
	return sets, append(slices.Clone(all), sets...), err
}

// setsEverywhere are the sets of all namespaces: of the suite's consumer or of all, and
// those of all.
func (k *apiServer) setsEverywhere(ctx context.Context, suite config.Suite) (sets, all []*record.Set, err error) {
	all, err = k.records.List(ctx, metav1.NamespaceAll)
	sets = slices.DeleteFunc(slices.Clone(all), func(set *record.Set) bool {
		return suite.Consumer != "" && set.Consumer != suite.Consumer
	})
	return sets, all, err
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

// namesIn returns those of the names that the set has.
func namesIn(set *record.Set, names []string) []string {
	has := set.Names()
	return slices.DeleteFunc(slices.Clone(names), func(name string) bool { return !slices.Contains(has, name) })
}

// noRecord says what is recorded instead of what was asked for.
func (k *apiServer) noRecord(ctx context.Context, suite config.Suite, names []string, sets []*record.Set) error {
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
	if near := meant(suite, sets); near != "" {
		return &noRecordError{image: onlyOf(names), message: message + near, mistyped: true}
	}
	if there != "" {
		message += "; recorded there:" + there
	}
	suite.Namespace = k.namespace
	mend := fmt.Sprintf("record it: %s\nor look elsewhere with -n and --consumer", toRecord(suite))
	return &noRecordError{image: onlyOf(names), message: message, mend: mend}
}

// noRecordError says that nothing is recorded, and what to do about it.
type noRecordError struct {
	// image is the NAME, "" where it was more than one.
	image         string
	message, mend string
	// mistyped is set where the message says what may have been meant.
	mistyped bool
}

// onlyOf is the only name, "" where there are several.
func onlyOf(names []string) string {
	if len(names) != 1 {
		return ""
	}
	return names[0]
}

func (e *noRecordError) Error() string {
	if e.mend == "" || e.mistyped {
		return e.message
	}
	return e.message + "\n" + e.mend
}

// notReady says that a record is only claimed or just being taken away.
func (r recorded) notReady(namespace, consumer string, suite config.Suite) error {
	if r.damage != nil {
		return r.damage
	}
	if r.Evidence.State == record.Ready {
		return nil
	}
	return &InconsistentError{
		fmt.Errorf("%s is %s for consumer %s, not recorded: a run of tag or clean is under way or was killed\nrun again: %s",
			r.Image.Name, strings.ToLower(r.Evidence.State), consumer,
			typedAt("tag", r.Image.Name, namespace, consumer, suite)),
	}
}
