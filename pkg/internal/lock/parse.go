package lock

import (
	"fmt"

	"sigs.k8s.io/yaml"
)

// DamagedError says what is wrong with a lock file.
type DamagedError struct {
	Path string
	// Newer is the version that wrote it, "" where it is damaged.
	Newer string
	Err   error
}

func (e *DamagedError) Error() string {
	if e.Newer != "" {
		return fmt.Sprintf("%s was written as %s, which this version does not know (it writes %s %s); use a newer "+
			"kubectl-e2eimage", e.Path, e.Newer, apiVersion, kind)
	}
	return fmt.Sprintf("%s is damaged: %v\nremove it (rm %s), then build or load the images again", e.Path, e.Err, e.Path)
}

// Unwrap returns what could not be read.
func (e *DamagedError) Unwrap() error { return e.Err }

// OtherConsumerError says that a lock file is another consumer's.
type OtherConsumerError struct{ Path, Has, Wanted string }

func (e *OtherConsumerError) Error() string {
	return fmt.Sprintf("%s is the lock file of consumer %q, not of %q; give another file with --lock, or that consumer "+
		"with --consumer", e.Path, e.Has, e.Wanted)
}

func parse(path, consumer string, text []byte) (*Lock, error) {
	var lock Lock
	if err := yaml.Unmarshal(text, &lock); err != nil {
		return nil, &DamagedError{Path: path, Err: err}
	}
	switch {
	case lock.APIVersion == "" || lock.Kind == "":
		return nil, &DamagedError{Path: path, Err: fmt.Errorf("it has no apiVersion or kind")}
	case lock.APIVersion != apiVersion || lock.Kind != kind:
		return nil, &DamagedError{Path: path, Newer: lock.APIVersion + " " + lock.Kind}
	case consumer != "" && lock.Consumer != consumer:
		return nil, &OtherConsumerError{Path: path, Has: lock.Consumer, Wanted: consumer}
	}
	for name, entry := range lock.Images {
		if entry == nil || entry.Via == "" {
			return nil, &DamagedError{Path: path, Err: fmt.Errorf("its entry %s is incomplete", name)}
		}
	}
	if lock.Images == nil {
		lock.Images = map[string]*Entry{}
	}
	lock.path = path
	return &lock, nil
}
