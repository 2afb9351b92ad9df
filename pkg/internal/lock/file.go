package lock

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/gofrs/flock"
	"sigs.k8s.io/yaml"
)

// File keeps a Lock in a file. Readers find it whole at any time; writers,
// also of other processes, take turns.
type File struct {
	path, consumer, host string
	// ignored is set where Git must not see the folder.
	ignored bool
}

// suffix is how the lock files of a folder are called, behind the consumer.
const suffix = ".lock.yaml"

// NewFile returns the consumer's lock in a file, which need not exist. host is
// the name of this host.
func NewFile(path, consumer, host string) *File {
	return &File{path: path, consumer: consumer, host: host, ignored: filepath.Base(filepath.Dir(path)) == ".e2eimage"}
}

// Path of the file.
func (f *File) Path() string { return f.path }

// Read returns the lock, an empty one where there is no file. Errors: *DamagedError.
func (f *File) Read() (*Lock, error) {
	text, err := os.ReadFile(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return &Lock{Consumer: f.consumer, Host: f.host, Images: map[string]*Entry{}, path: f.path}, nil
	}
	if err != nil {
		return nil, cannotBe("read", err)
	}
	return parse(f.path, f.consumer, text)
}

// Update changes the lock. What change leaves as it was is not written; a lock
// without images goes.
func (f *File) Update(ctx context.Context, change func(*Lock) error) error {
	dir := filepath.Dir(f.path)
	if err := f.makeDir(dir); err != nil {
		return err
	}
	// The folder stands for all locks in it: no further files are needed.
	turn := flock.New(dir, flock.SetFlag(os.O_RDONLY))
	if _, err := turn.TryLockContext(ctx, 5*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return cannotBe("written", err)
	}
	defer func() { _ = turn.Close() }()
	lock, err := f.Read()
	if err != nil {
		return err
	}
	before, err := f.marshal(lock)
	if err != nil {
		return err
	}
	if lock.Host != f.host {
		lock.leaveHost()
	}
	if err := change(lock); err != nil {
		return err
	}
	if len(lock.Images) == 0 {
		if err := os.Remove(f.path); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return cannotBe("written", err)
		}
		return nil
	}
	after, err := f.marshal(lock)
	if err != nil || bytes.Equal(before, after) {
		return err
	}
	return f.write(after)
}

func (f *File) marshal(lock *Lock) ([]byte, error) {
	written := *lock
	written.APIVersion, written.Kind, written.Host = apiVersion, kind, f.host
	return yaml.Marshal(&written)
}

func (f *File) makeDir(dir string) error {
	err := os.MkdirAll(dir, 0o777)
	if err == nil && f.ignored {
		ignore := filepath.Join(dir, ".gitignore")
		if _, err = os.Lstat(ignore); errors.Is(err, fs.ErrNotExist) {
			err = os.WriteFile(ignore, []byte("*\n"), 0o666)
		}
	}
	if err != nil {
		return cannotBe("written", err)
	}
	return nil
}

// cannotBe says what of the lock cannot be done. A folder that root or somebody else made
// first is the usual reason.
func cannotBe(done string, err error) error {
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("the lock file cannot be %s: %w\n"+
			"it is another user's: let your user write to its folder, or give another file with --lock", done, err)
	}
	return fmt.Errorf("the lock file cannot be %s: %w\ngive another file with --lock", done, err)
}

// write replaces the file in one step, with the permissions that the umask leaves: users
// of one checkout share it as they share the checkout. Writers take turns: what lies there is of one that
// was killed.
func (f *File) write(text []byte) error {
	path := filepath.Join(filepath.Dir(f.path), "."+filepath.Base(f.path)+".new")
	_ = os.Remove(path)
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o666)
	if err != nil {
		return cannotBe("written", err)
	}
	defer func() { _ = os.Remove(path) }()
	_, err = file.Write(text)
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil {
		err = os.Rename(path, f.path)
	}
	if err != nil {
		return cannotBe("written", err)
	}
	return nil
}

// ReadAll reads all locks of a folder, by consumer. Those that are not readable
// come as errors.
func ReadAll(dir string) ([]*Lock, error) {
	listed, err := os.ReadDir(dir)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var locks []*Lock
	var mistakes []error
	for _, entry := range listed {
		consumer, is := strings.CutSuffix(entry.Name(), suffix)
		if !is || consumer == "" || strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		lock, err := NewFile(filepath.Join(dir, entry.Name()), consumer, "").Read()
		if err != nil {
			mistakes = append(mistakes, err)
			continue
		}
		locks = append(locks, lock)
	}
	slices.SortFunc(locks, func(a, b *Lock) int { return strings.Compare(a.Consumer, b.Consumer) })
	return locks, errors.Join(mistakes...)
}

// InTurn does something while no other process does something under the same key
// beside the same lock, however long that takes.
func (f *File) InTurn(ctx context.Context, key string, do func() error) error {
	dir := filepath.Dir(f.path)
	if err := f.makeDir(dir); err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(key))
	turn := flock.New(filepath.Join(dir, fmt.Sprintf(".turn-%x", sum[:6])), flock.SetPermissions(0o666))
	if _, err := turn.TryLockContext(ctx, 100*time.Millisecond); err != nil {
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		return cannotBe("written", err)
	}
	defer func() { _ = turn.Close() }()
	return do()
}
