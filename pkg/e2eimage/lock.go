package e2eimage

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
)

// locks is the lock of one consumer; a nil one, where there is no lock file, has
// no entries and takes none.
type locks struct {
	file *lock.File
	// read is what was there when the verb began.
	read *lock.Lock
	mu   sync.Mutex
	// local is set where the entries are about this host's engines.
	local bool
}

// openLock reads the consumer's lock, nil where the suite has none.
func (c *Client) openLock(suite config.Suite, consumer string) (*locks, error) {
	path := suite.LockFile(consumer)
	if path == "" {
		return nil, nil
	}
	l := &locks{file: lock.NewFile(path, consumer, c.host)}
	var err error
	if l.read, err = l.file.Read(); err != nil {
		return nil, lockError(err)
	}
	l.local = l.read.Host == c.host
	if !l.local {
		c.report.Warn(fmt.Sprintf("%s was written on host %s: it is not compared with the images on this host", path,
			l.read.Host))
	}
	return l, nil
}

// by is who does it, for whoever finds it in a record or lock.
func (c *Client) by() string {
	if c.options.User == "" {
		return c.host
	}
	return c.options.User + "@" + c.host
}

// entry of an image, nil where there is none or where it is about something else
// than the suite says by now.
func (l *locks) entry(image config.Image, prebuilt config.Prebuilt) *lock.Entry {
	if l == nil {
		return nil
	}
	entry := l.current().Images[image.Name]
	// A template whose variables are not set in this run says nothing else.
	differs := func(field config.Field, said string) bool {
		_, unfilled := image.Unfilled[field]
		return !unfilled && said != "" && said != entry.Source
	}
	switch {
	case entry == nil || image.External != "" || image.Loose:
		return nil
	case entry.Via == lock.ViaPrebuilt:
		if prebuilt == config.PrebuiltIgnore || image.Prebuilt == "" || differs(config.FieldPrebuilt, image.Prebuilt) {
			return nil
		}
	case differs(config.FieldSource, image.Source):
		return nil
	}
	return entry
}

// current is the lock as this process knows it.
func (l *locks) current() *lock.Lock {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.read
}

// reread takes what others, or another part of this run, wrote since.
func (l *locks) reread() error {
	if l == nil {
		return nil
	}
	read, err := l.file.Read()
	if err != nil {
		return lockError(err)
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.read = read
	return nil
}

// isNew tells whether an entry is another one than when this verb began.
func (l *locks) isNew(name string, entry *lock.Entry) bool {
	before := l.current().Images[name]
	return before == nil || before.EngineID != entry.EngineID || before.Image != entry.Image
}

// update changes the entries in the file. Nothing happens without a lock.
func (l *locks) update(ctx context.Context, change func(*lock.Lock) error) error {
	if l == nil {
		return nil
	}
	return l.file.Update(ctx, func(locked *lock.Lock) error {
		if err := change(locked); err != nil {
			return err
		}
		l.mu.Lock()
		defer l.mu.Unlock()
		l.read = locked
		return nil
	})
}

// consumerOf is who uses the images, for verbs that write: as said, else the Kind
// cluster's name.
func (c *Client) consumerOf(ctx context.Context, suite config.Suite) (string, error) {
	if suite.Consumer != "" {
		return suite.Consumer, nil
	}
	query, err := c.whichCluster(ctx, suite)
	if err != nil {
		return "", &UsageError{fmt.Errorf("which consumer? Say it with --consumer, or as consumer in e2eimage.yaml; there " +
			"is no Kind cluster whose name it could have")}
	}
	return consumerAfter(query.Name)
}

// consumerAfter is the consumer that is called after a Kind cluster, if it can be: a dot
// would make the owners of tags on nodes ambiguous.
func consumerAfter(cluster string) (string, error) {
	if err := (config.Suite{Consumer: cluster}).Check(); err != nil {
		return "", &UsageError{fmt.Errorf("which consumer? The Kind cluster's name cannot be one: %w\n"+
			"say it with --consumer, or as consumer in e2eimage.yaml", err)}
	}
	return cluster, nil
}

// elsewhere tells whether an entry was carried into other namespaces only than the
// one that was asked for, whose record then says what is there.
func elsewhere(entry *lock.Entry, namespace string) bool {
	return namespace != "" && len(entry.Clusters) > 0 &&
		!slices.ContainsFunc(entry.Clusters, func(c lock.Cluster) bool { return c.Namespace == namespace })
}

// lockError is a lock that cannot be used.
func lockError(err error) error {
	if as[*lock.OtherConsumerError](err) {
		return &UsageError{err}
	}
	return &InconsistentError{err}
}

// lockWith returns the lock that has all of the suite's images decided, for verbs
// that read, and nil where none has.
func (c *Client) lockWith(suite config.Suite) (*lock.Lock, error) {
	names := recordedNames(suite)
	has := func(locked *lock.Lock) bool {
		return !slices.ContainsFunc(names, func(name string) bool {
			entry := locked.Images[name]
			return entry == nil || entry.Image == "" || elsewhere(entry, suite.Namespace)
		})
	}
	switch {
	case suite.Consumer != "" || suite.Lock != "":
		path := suite.LockFile(suite.Consumer)
		if path == "" {
			return nil, nil
		}
		locked, err := lock.NewFile(path, suite.Consumer, c.host).Read()
		if err != nil {
			return nil, lockError(err)
		}
		if !has(locked) {
			return nil, nil
		}
		return locked, nil
	case suite.LockDir == "":
		return nil, nil
	}
	all, err := lock.ReadAll(suite.LockDir)
	if err != nil {
		return nil, &InconsistentError{err}
	}
	all = slices.DeleteFunc(all, func(locked *lock.Lock) bool { return !has(locked) })
	switch len(all) {
	case 0:
		return nil, nil
	case 1:
		return all[0], nil
	}
	var consumers []string
	for _, locked := range all {
		consumers = append(consumers, locked.Consumer)
	}
	return nil, &UsageError{fmt.Errorf("%s is in the locks of several consumers: %s; say which with --consumer",
		strings.Join(names, ", "), strings.Join(consumers, ", "))}
}
