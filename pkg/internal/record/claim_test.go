package record

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const (
	oldID = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	newID = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

func repositoryOf(image string) string { return image[:strings.LastIndex(image, ":")] }

func wishFor(image, imageID string) Wish {
	return Wish{Name: "datastorage", Image: image, ImageID: imageID}
}

// setOf returns a set on which the steps were carried out.
func setOf(t *testing.T, steps ...func(*Set) error) *Set {
	t.Helper()
	set := newSet("ns", "suite")
	for i, step := range steps {
		if err := step(set); err != nil {
			t.Fatalf("step %d: %v", i, err)
		}
	}
	return set
}

func claimed(image, imageID, holder string) func(*Set) error {
	return func(set *Set) error {
		_, err := set.Claim(wishFor(image, imageID), holder, repositoryOf)
		return err
	}
}

func completed(image, imageID string) func(*Set) error {
	return func(set *Set) error {
		_, err := set.Complete(Fact{Name: "datastorage", Image: image, ImageID: imageID, Keep: maxPrevious})
		return err
	}
}

func releasing(set *Set) error {
	_, err := set.BeginRelease("datastorage")
	return err
}

func TestClaim(t *testing.T) {
	t.Parallel()
	const first, second = "localhost/datastorage:suite-1", "localhost/datastorage:suite-2"
	tests := map[string]struct {
		steps    []func(*Set) error
		wish     Wish
		want     string
		recorded bool
		wantErr  any
	}{
		"the first run gets what it drew": {
			wish: wishFor(first, oldID), want: first,
		},
		"a second run with the same content adopts the claim": {
			steps: []func(*Set) error{claimed(first, oldID, "a")},
			wish:  wishFor(second, oldID), want: first,
		},
		"a second run with other content claims its own tag": {
			steps: []func(*Set) error{claimed(first, oldID, "a")},
			wish:  wishFor(second, newID), want: second,
		},
		"recorded content keeps its tag": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  wishFor(second, oldID), want: first, recorded: true,
		},
		"new content gets a new tag": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  wishFor(second, newID), want: second,
		},
		"a claim over a record is adopted too": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID), claimed(second, newID, "b")},
			wish:  wishFor("localhost/datastorage:suite-3", newID), want: second,
		},
		"--new wins over known content": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  Wish{Name: "datastorage", Image: second, ImageID: oldID, New: true}, want: second,
		},
		"an exact tag wins over known content": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  Wish{Name: "datastorage", Image: second, ImageID: oldID, Exact: true}, want: second,
		},
		"an exact tag that is recorded so already is no change": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  Wish{Name: "datastorage", Image: first, ImageID: oldID, Exact: true}, want: first, recorded: true,
		},
		"an exact tag cannot be moved to other content": {
			steps:   []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:    Wish{Name: "datastorage", Image: first, ImageID: newID, Exact: true},
			wantErr: new(*MovedError),
		},
		"a shared tag takes the new content": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  Wish{Name: "datastorage", Image: first, ImageID: newID, Exact: true, Move: true}, want: first,
		},
		"another repository wins over known content": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID)},
			wish:  Wish{Name: "datastorage", Image: "localhost/other:suite-2", ImageID: oldID, Repository: "localhost/other"},
			want:  "localhost/other:suite-2",
		},
		"nobody adopts what is being taken away": {
			steps: []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID), releasing},
			wish:  wishFor(second, oldID), want: second,
		},
		"the very tag that is being taken away is refused": {
			steps:   []func(*Set) error{claimed(first, oldID, "a"), completed(first, oldID), releasing},
			wish:    Wish{Name: "datastorage", Image: first, ImageID: oldID, Exact: true},
			wantErr: new(*ReleasingError),
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := setOf(t, test.steps...)
			got, err := set.Claim(test.wish, "me", repositoryOf)
			if test.wantErr != nil {
				if !errors.As(err, test.wantErr) {
					t.Fatalf("error %v, want a %T", err, test.wantErr)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			if got.Image != test.want || (got.Recorded != nil) != test.recorded {
				t.Errorf("decided %s (recorded %t), want %s (%t)", got.Image, got.Recorded != nil, test.want, test.recorded)
			}
		})
	}
}

func TestAnnotationIsThereOnlyWhileReady(t *testing.T) {
	t.Parallel()
	const image = "localhost/datastorage:suite-1"
	set := setOf(t, claimed(image, oldID, "a"))
	key := AnnotationPrefix + "datastorage"
	if got := set.configMap.Annotations[key]; got != "" {
		t.Errorf("a claim has the annotation %q", got)
	}
	if err := completed(image, oldID)(set); err != nil {
		t.Fatal(err)
	}
	if got := set.configMap.Annotations[key]; got != image {
		t.Errorf("the record has the annotation %q, want %q", got, image)
	}
	if err := claimed("localhost/datastorage:suite-2", newID, "a")(set); err != nil {
		t.Fatal(err)
	}
	if got := set.configMap.Annotations[key]; got != image {
		t.Errorf("under the next claim the annotation is %q, want still %q", got, image)
	}
	if err := releasing(set); err != nil {
		t.Fatal(err)
	}
	if got, ok := set.configMap.Annotations[key]; ok {
		t.Errorf("while it is taken away the annotation is still %q", got)
	}
}

func TestAbandonLeavesTheTagToOtherHolders(t *testing.T) {
	t.Parallel()
	const image = "localhost/datastorage:suite-1"
	set := setOf(t, claimed(image, oldID, "a"), claimed(image, oldID, "b"))
	release, err := set.Abandon("datastorage", image, "a")
	if err != nil || release != "" {
		t.Fatalf("the first to give up releases %q (%v), want nothing", release, err)
	}
	release, err = set.Abandon("datastorage", image, "b")
	if err != nil || release != image {
		t.Fatalf("the last to give up releases %q (%v), want %q", release, err, image)
	}
	if err := set.Released("datastorage", []string{image}); err != nil {
		t.Fatal(err)
	}
	if !set.empty() {
		t.Errorf("left behind: %v", set.Names())
	}
}

func TestASharedTagThatWasNotMovedIsWhatItWas(t *testing.T) {
	t.Parallel()
	const image = "localhost/datastorage:shared"
	set := setOf(t, claimed(image, oldID, "a"), completed(image, oldID))
	for _, id := range []string{newID, strings.Replace(newID, "2", "3", 1)} {
		if _, err := set.Claim(Wish{Name: "datastorage", Image: image, ImageID: id, Exact: true, Move: true}, "b", repositoryOf); err != nil {
			t.Fatal(err)
		}
	}
	if release, err := set.Abandon("datastorage", image, "b"); err != nil || release != "" {
		t.Fatalf("releases %q (%v), want nothing", release, err)
	}
	was, err := set.Moving("datastorage", image, newID)
	if err != nil || was == nil || was.ImageID != oldID {
		t.Fatalf("it was %+v, %v", was, err)
	}
	if err := set.MovedBack("datastorage", image); err != nil {
		t.Fatal(err)
	}
	evidence, err := set.Entry("datastorage")
	if err != nil || evidence.State != Ready || evidence.ImageID != oldID || evidence.Was != nil {
		t.Errorf("the record is %+v, %v", evidence, err)
	}
}

func TestAbandonKeepsTheRecordUnderTheClaim(t *testing.T) {
	t.Parallel()
	const first, second = "localhost/datastorage:suite-1", "localhost/datastorage:suite-2"
	set := setOf(t, claimed(first, oldID, "a"), completed(first, oldID), claimed(second, newID, "b"))
	release, err := set.Abandon("datastorage", second, "b")
	if err != nil || release != second {
		t.Fatalf("releases %q (%v), want %q", release, err, second)
	}
	evidence, err := set.Entry("datastorage")
	if err != nil {
		t.Fatal(err)
	}
	if evidence.State != Ready || evidence.Image != first || evidence.Claim != nil {
		t.Errorf("the record is now %+v", evidence)
	}
	if diff := cmp.Diff([]string{second}, evidence.Release); diff != "" {
		t.Errorf("noted for release (-want +got):\n%s", diff)
	}
	if err := set.Released("datastorage", []string{second}); err != nil {
		t.Fatal(err)
	}
	if evidence, _ = set.Entry("datastorage"); len(evidence.Release) != 0 {
		t.Errorf("still noted: %v", evidence.Release)
	}
}

func TestCompleteRemembersWhatWasBefore(t *testing.T) {
	t.Parallel()
	set := newSet("ns", "suite")
	for i := range 14 {
		image := "localhost/datastorage:suite-" + string(rune('a'+i))
		id := strings.Replace(oldID, "1", string("0123456789abcdef"[i]), 1)
		if err := claimed(image, id, "a")(set); err != nil {
			t.Fatal(err)
		}
		if err := completed(image, id)(set); err != nil {
			t.Fatal(err)
		}
	}
	evidence, err := set.Entry("datastorage")
	if err != nil {
		t.Fatal(err)
	}
	if len(evidence.Previous) != maxPrevious || evidence.Previous[0].Image != "localhost/datastorage:suite-m" {
		t.Errorf("%d previous images, the newest %s", len(evidence.Previous), evidence.Previous[0].Image)
	}
	if diff := cmp.Diff([]string{"localhost/datastorage:suite-a", "localhost/datastorage:suite-b", "localhost/datastorage:suite-c"}, evidence.Release); diff != "" {
		t.Errorf("what fell out of the history has to be released (-want +got):\n%s", diff)
	}
}

func TestCompleteOfAClaimThatIsGone(t *testing.T) {
	t.Parallel()
	set := setOf(t, claimed("localhost/datastorage:suite-1", oldID, "a"), claimed("localhost/datastorage:suite-2", newID, "b"))
	_, err := set.Complete(Fact{Name: "datastorage", Image: "localhost/datastorage:suite-1", ImageID: oldID})
	var superseded *SupersededError
	if !errors.As(err, &superseded) {
		t.Fatalf("error %v, want a SupersededError", err)
	}
	release, err := set.Complete(Fact{Name: "datastorage", Image: "localhost/datastorage:suite-2", ImageID: newID})
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{"localhost/datastorage:suite-1"}, release); diff != "" {
		t.Errorf("the loser's tag has to go (-want +got):\n%s", diff)
	}
}

func TestNobodyCompletesOrAdoptsTheNextImageOfWhatIsBeingCleaned(t *testing.T) {
	t.Parallel()
	const first, second, third = "localhost/datastorage:suite-1", "localhost/datastorage:suite-2", "localhost/datastorage:suite-3"
	set := setOf(t, claimed(first, oldID, "a"), completed(first, oldID), claimed(second, newID, "b"))
	released, err := set.BeginRelease("datastorage")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{first, second}, released); diff != "" {
		t.Errorf("what goes (-want +got):\n%s", diff)
	}
	_, err = set.Complete(Fact{Name: "datastorage", Image: second, ImageID: newID})
	var superseded *SupersededError
	if !errors.As(err, &superseded) {
		t.Errorf("completed although it is being cleaned: error %v", err)
	}
	decision, err := set.Claim(wishFor(third, newID), "c", repositoryOf)
	if err != nil || decision.Image != third {
		t.Errorf("claimed %q, %v; want a tag of its own", decision.Image, err)
	}
	evidence, err := set.Entry("datastorage")
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{first, second}, evidence.Release); diff != "" {
		t.Errorf("what still has to go (-want +got):\n%s", diff)
	}
}

func TestTampering(t *testing.T) {
	t.Parallel()
	const image = "localhost/datastorage:suite-1"
	key := AnnotationPrefix + "datastorage"
	tests := map[string]func(*Set){
		"the annotation was changed": func(s *Set) { s.configMap.Annotations[key] = "localhost/datastorage:else" },
		"the annotation was removed": func(s *Set) { delete(s.configMap.Annotations, key) },
		"the evidence was removed":   func(s *Set) { delete(s.configMap.Data, "datastorage") },
		"the evidence names another": func(s *Set) {
			s.configMap.Data["datastorage"] = strings.ReplaceAll(s.configMap.Data["datastorage"], "suite-1", "suite-9")
		},
		"the state was turned around": func(s *Set) {
			s.configMap.Data["datastorage"] = strings.ReplaceAll(s.configMap.Data["datastorage"], Ready, Pending)
		},
	}
	for name, tamper := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			set := setOf(t, claimed(image, oldID, "a"), completed(image, oldID))
			tamper(set)
			var tampered *TamperedError
			if _, err := set.Entry("datastorage"); !errors.As(err, &tampered) {
				t.Errorf("error %v, want a TamperedError", err)
			}
		})
	}
}

func TestEvidenceOfANewerVersion(t *testing.T) {
	t.Parallel()
	set := setOf(t, claimed("localhost/datastorage:suite-1", oldID, "a"))
	set.configMap.Data["datastorage"] = strings.Replace(set.configMap.Data["datastorage"], APIVersion, "e2eimage.dev/v9", 1)
	var newer *NewerError
	if _, err := set.Entry("datastorage"); !errors.As(err, &newer) {
		t.Errorf("error %v, want a NewerError", err)
	}
}

func TestAFieldOfSeveralLinesMakesTheEvidenceUnreadable(t *testing.T) {
	t.Parallel()
	set := setOf(t, claimed("localhost/datastorage:suite-1", oldID, "a"))
	set.configMap.Data["datastorage"] = strings.Replace(set.configMap.Data["datastorage"], "kind: Evidence", "kind: Evidence\nby: \"me\\nerror: all is lost\"", 1)
	var unreadable *UnreadableError
	if _, err := set.Entry("datastorage"); !errors.As(err, &unreadable) || strings.Contains(err.Error(), "\nerror:") {
		t.Errorf("error %v, want an UnreadableError that quotes the field on one line", err)
	}
}

func TestATagThatCameBackIsNotOfBefore(t *testing.T) {
	t.Parallel()
	const a, b, c = "localhost/datastorage:a", "localhost/datastorage:b", "localhost/datastorage:c"
	thirdID := strings.Replace(oldID, "1", "3", 1)
	set := setOf(t,
		claimed(a, oldID, "x"), completed(a, oldID), claimed(b, newID, "x"), completed(b, newID), claimed(a, oldID, "x"), completed(a, oldID))
	for _, step := range []struct {
		keep int
		want []string
	}{{1, nil}, {0, []string{b}}} {
		release, err := set.BeginTrim("datastorage", Fact{Keep: step.keep})
		if diff := cmp.Diff(step.want, release); err != nil || diff != "" {
			t.Errorf("keeping %d: %v (-want +got):\n%s", step.keep, err, diff)
		}
	}
	for _, step := range []func(*Set) error{claimed(b, newID, "x"), completed(b, newID), claimed(c, thirdID, "x")} {
		if err := step(set); err != nil {
			t.Fatal(err)
		}
	}
	release, err := set.Complete(Fact{Name: "datastorage", Image: c, ImageID: thirdID, Keep: 2})
	if diff := cmp.Diff([]string(nil), release); err != nil || diff != "" {
		t.Errorf("what is kept is released: %v, %s", err, diff)
	}
}
