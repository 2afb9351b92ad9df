package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// allRecorded is the suite with all that its consumer has in the namespace: records, tags
// on nodes, and what the lock has.
func (c *Client) allRecorded(ctx context.Context, kube *apiServer, suite config.Suite,
	states kindnode.States,
) (config.Suite, error) {
	sets, err := kube.setsFor(ctx, suite)
	if err != nil {
		return suite, err
	}
	having := map[string][]string{}
	for _, set := range sets {
		if names := set.Names(); len(names) > 0 {
			having[set.Consumer] = names
		}
	}
	for owned := range states.Owners() {
		namespace, consumer, name, ok := record.ParseOwner(owned.Owner)
		if ok && namespace == kube.namespace && (suite.Consumer == "" || consumer == suite.Consumer) {
			having[consumer] = append(having[consumer], name)
		}
	}
	if suite, err = onlyConsumer(suite, having, "in namespace "+kube.namespace); err != nil {
		return suite, err
	}
	lock, err := c.openLock(suite, suite.Consumer)
	if err != nil {
		return suite, err
	}
	names := having[suite.Consumer]
	if lock != nil && suite.Consumer != "" {
		for name, entry := range lock.current().Images {
			// What was carried into other namespaces only is of the records there.
			if !elsewhere(entry, kube.namespace) {
				names = append(names, name)
			}
		}
	}
	return withNames(suite, names), nil
}

// allLocked is the suite with all that its consumer's lock has.
func (c *Client) allLocked(suite config.Suite) (config.Suite, error) {
	if suite.Consumer != "" || suite.Lock != "" {
		lock, err := c.openLock(suite, suite.Consumer)
		if err != nil || lock == nil {
			return withNames(suite, nil), err
		}
		return withNames(suite, sortedKeys(lock.current().Images)), nil
	}
	if suite.LockDir == "" {
		return withNames(suite, nil), nil
	}
	all, err := lock.ReadAll(suite.LockDir)
	if err != nil {
		return suite, &InconsistentError{err}
	}
	having := map[string][]string{}
	for _, locked := range all {
		if len(locked.Images) > 0 {
			having[locked.Consumer] = sortedKeys(locked.Images)
		}
	}
	suite, err = onlyConsumer(suite, having, "in the locks of this host")
	return withNames(suite, having[suite.Consumer]), err
}

// onlyConsumer is the suite of the only consumer that has something, unless one was said.
// What belongs to several is never taken away at once.
func onlyConsumer(suite config.Suite, having map[string][]string, where string) (config.Suite, error) {
	consumers := sortedKeys(having)
	switch {
	case suite.Consumer != "" || len(consumers) == 0:
		return suite, nil
	case len(consumers) > 1:
		return suite, &UsageError{fmt.Errorf("several consumers have images %s: %s; say which with --consumer", where,
			strings.Join(consumers, ", "))}
	}
	suite.Consumer = consumers[0]
	return suite, nil
}

// withNames is the suite with images of these names.
func withNames(suite config.Suite, names []string) config.Suite {
	slices.Sort(names)
	suite.Images, suite.Part = nil, false
	for _, name := range slices.Compact(names) {
		suite.Images = append(suite.Images, config.Image{Name: name})
	}
	return suite
}

// nothingAtAll is the result where there is nothing to take away.
func (c *Client) nothingAtAll(suite config.Suite, where string) *CleanResult {
	whose := ""
	if suite.Consumer != "" {
		whose = " of consumer " + suite.Consumer
	}
	c.report.Info(fmt.Sprintf("nothing%s is left %s", whose, where))
	return &CleanResult{Consumer: suite.Consumer, Namespace: suite.Namespace, Images: []CleanedImage{}}
}
