package lock

import (
	"errors"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	firstTag  = "localhost/datastorage:suite-1"
	secondTag = "localhost/datastorage:suite-2"
)

const (
	oldID = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	newID = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func lockOf(entries map[string]*Entry) *Lock {
	if entries == nil {
		entries = map[string]*Entry{}
	}
	return &Lock{Consumer: "suite", Host: "here", Images: entries}
}

func TestWhatALockMakesOfANewEntry(t *testing.T) {
	t.Parallel()
	carried := []Cluster{{CA: "ca", Namespace: "ns"}}
	before := func() map[string]*Entry {
		return map[string]*Entry{"datastorage": {
			Image: firstTag, ImageID: oldID, Via: ViaBuild, Engine: "podman", EngineID: "old", Clusters: carried,
			Supersedes: []Superseded{{Image: "localhost/datastorage:suite-0"}},
		}}
	}
	for name, test := range map[string]struct {
		before     map[string]*Entry
		next       Entry
		exact      bool
		want       string
		supersedes []string
		carried    bool
	}{
		"the first one":                             {next: Entry{Image: firstTag, ImageID: oldID}, want: firstTag},
		"the same content keeps its tag":            {before: before(), next: Entry{Image: secondTag, ImageID: oldID}, want: firstTag, supersedes: []string{"localhost/datastorage:suite-0"}, carried: true},
		"the same to the engine, too":               {before: before(), next: Entry{Image: secondTag, Engine: "podman", EngineID: "old"}, want: firstTag, supersedes: []string{"localhost/datastorage:suite-0"}, carried: true},
		"new content has the new one":               {before: before(), next: Entry{Image: secondTag, ImageID: newID}, want: secondTag, supersedes: []string{firstTag, "localhost/datastorage:suite-0"}},
		"an exact tag wins over the same content":   {before: before(), next: Entry{Image: secondTag, ImageID: oldID}, exact: true, want: secondTag, supersedes: []string{firstTag, "localhost/datastorage:suite-0"}},
		"a tag of before does not supersede itself": {before: before(), next: Entry{Image: "localhost/datastorage:suite-0", ImageID: newID}, exact: true, want: "localhost/datastorage:suite-0", supersedes: []string{firstTag}},
		"what is not tagged yet":                    {before: before(), next: Entry{ImageID: newID, Via: ViaLoad}, want: "", supersedes: []string{firstTag, "localhost/datastorage:suite-0"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := lockOf(test.before).Put("datastorage", test.next, test.exact)
			var supersedes []string
			for _, s := range got.Supersedes {
				supersedes = append(supersedes, s.Image)
			}
			if diff := cmp.Diff(test.supersedes, supersedes); got.Image != test.want || diff != "" || (len(got.Clusters) > 0) != test.carried {
				t.Errorf("the image is %s, want %s; clusters %v; it supersedes (-want +got):\n%s", got.Image, test.want, got.Clusters, diff)
			}
		})
	}
}

func TestALockForgetsWhatTheHostNeedsNotKeep(t *testing.T) {
	t.Parallel()
	entry := &Entry{Supersedes: []Superseded{{Image: "a", Engine: "podman"}, {Image: "b", Engine: "podman"}, {Image: "c"}}}
	beyond := entry.Beyond(1)
	if len(beyond) != 1 || beyond[0].Image != "b" || beyond[0].Engine != "podman" || entry.Supersedes[1].Engine == "" {
		t.Errorf("beyond are %v", beyond)
	}
	entry.Dropped(beyond)
	if !entry.Replaces("b") || entry.Supersedes[1].Engine != "" || entry.Supersedes[0].Engine == "" {
		t.Errorf("left %v", entry.Supersedes)
	}
}

func TestManyWritersOfALockFileTakeTurns(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), ".e2eimage")
	var all sync.WaitGroup
	for i := range 20 {
		all.Go(func() {
			file := NewFile(filepath.Join(dir, "suite.lock.yaml"), "suite", "here")
			err := file.Update(t.Context(), func(lock *Lock) error {
				lock.Put(string(rune('a'+i)), Entry{Via: ViaBuild, Image: firstTag}, false)
				return nil
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
	all.Wait()
	locks, err := ReadAll(dir)
	if err != nil || len(locks) != 1 || len(locks[0].Names()) != 20 {
		t.Errorf("read %v, %v", locks, err)
	}
	listed, err := os.ReadDir(dir)
	if err != nil || len(listed) != 2 || listed[0].Name() != ".gitignore" {
		t.Errorf("the folder has %v, %v", listed, err)
	}
}

func TestALockWithoutImagesGoes(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "my.yaml")
	file := NewFile(path, "suite", "here")
	put := func(lock *Lock) error { lock.Put("a", Entry{Via: ViaTag}, false); return nil }
	remove := func(lock *Lock) error { delete(lock.Images, "a"); return nil }
	for _, change := range []func(*Lock) error{remove, put, remove} {
		if err := file.Update(t.Context(), change); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := os.Stat(path); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("it is still there: %v", err)
	}
}

func TestAChangeThatFailsWritesNothing(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "my.yaml")
	failure := errors.New("no")
	err := NewFile(path, "suite", "here").Update(t.Context(), func(lock *Lock) error {
		lock.Put("a", Entry{Via: ViaTag}, false)
		return failure
	})
	if _, missing := os.Stat(path); !errors.Is(err, failure) || !errors.Is(missing, os.ErrNotExist) {
		t.Errorf("error %v, file %v", err, missing)
	}
}
