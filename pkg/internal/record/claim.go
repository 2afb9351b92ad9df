package record

import (
	"cmp"
	"fmt"
	"slices"
)

// Wish is what a run wants recorded for one image.
type Wish struct {
	Name    string
	ImageID string
	// Repository and Tag of a freshly drawn or exactly given image, joined.
	Image string
	// Exact is set when the user named the tag: nothing else will do.
	Exact bool
	// New is set when the user wants a new tag although the content is known.
	New bool
	// Move is set when the tag is shared with other images: other content under
	// it takes its place.
	Move bool
	// Repository, when the user named one: a known tag under another
	// repository will not do.
	Repository string
	// Registry that the image goes through, without digests; nil for nodes.
	Registry *Registry
}

// Decision is what a Set decided about a Wish.
type Decision struct {
	Name string
	// Image that the run has to put on the nodes.
	Image   string
	ImageID string
	// Recorded is set when the record says so already: nothing to claim.
	Recorded *Evidence
}

// Claim decides the image for a wish and writes the claim into the set, unless
// the record already holds it. repositoryOf splits a recorded image.
func (s *Set) Claim(wish Wish, holder string, repositoryOf func(string) string) (Decision, error) {
	evidence, err := s.Entry(wish.Name)
	if err != nil {
		return Decision{}, err
	}
	fits := func(image, imageID string) bool {
		switch {
		case imageID != wish.ImageID, wish.New:
			return false
		case wish.Exact:
			return image == wish.Image
		}
		return wish.Repository == "" || repositoryOf(image) == wish.Repository
	}
	decision := Decision{Name: wish.Name, Image: wish.Image, ImageID: wish.ImageID}
	if evidence == nil {
		evidence = &Evidence{}
	}
	switch {
	case evidence.State == Ready && fits(evidence.Image, evidence.ImageID):
		decision.Image, decision.Recorded = evidence.Image, evidence
		return decision, nil
	case evidence.State == Ready && wish.Exact && !wish.Move && evidence.Image == wish.Image &&
		evidence.ImageID != wish.ImageID:
		return Decision{}, &MovedError{
			Set: s, Name: wish.Name, Image: wish.Image, Recorded: evidence.ImageID,
			Wanted: wish.ImageID,
		}
	case evidence.State == Releasing && slices.Contains(evidence.Tags(), wish.Image):
		return Decision{}, &ReleasingError{Set: s, Name: wish.Name, Image: wish.Image}
	case evidence.State == Pending && fits(evidence.Image, evidence.ImageID):
		decision.Image = evidence.Image
		evidence.Holders = join(evidence.Holders, holder)
		return decision, s.put(wish.Name, evidence)
	case evidence.Claim != nil && fits(evidence.Claim.Image, evidence.Claim.ImageID):
		decision.Image = evidence.Claim.Image
		evidence.Claim.Holders = join(evidence.Claim.Holders, holder)
		return decision, s.put(wish.Name, evidence)
	}
	return decision, s.put(wish.Name, evidence.supersede(wish, holder))
}

// MovedError says that an exact tag is recorded for other content.
type MovedError struct {
	Set                           *Set
	Name, Image, Recorded, Wanted string
}

func (e *MovedError) Error() string {
	return fmt.Sprintf(`%s is recorded for %s and cannot be moved to %s: pods that use it would get other content
choose another --tag; or, once nothing uses it, remove it first: %s --scope=cluster`,
		e.Image, e.Recorded, e.Wanted, e.Set.typed("clean", e.Name))
}

// ReleasingError says that the wanted tag is just being taken off the nodes.
type ReleasingError struct {
	Set         *Set
	Name, Image string
}

func (e *ReleasingError) Error() string {
	return fmt.Sprintf(`another run is removing %s from the nodes; wait for it
if that run was killed, finish its work: %s --scope=cluster`,
		e.Image, e.Set.typed("clean", e.Name))
}

// supersede puts a new claim over whatever the entry was. Tags of a claim that
// nobody finished are noted for release.
func (e *Evidence) supersede(wish Wish, holder string) *Evidence {
	claim := Claim{
		Image: wish.Image, ImageID: wish.ImageID, Claimed: Now(), Holders: []string{holder}, Registry: wish.Registry,
	}
	release := func(image string) {
		if image != wish.Image {
			e.Release = join(e.Release, image)
		}
	}
	if e.State == Ready && e.Image == wish.Image {
		// Moved: nothing is true of it until every node has the new content.
		if e.Claim != nil {
			release(e.Claim.Image)
		}
		was := *e
		was.Previous, was.Release, was.Claim, was.APIVersion, was.Kind = nil, nil, nil, "", ""
		return &Evidence{
			State: Pending, Image: claim.Image, ImageID: claim.ImageID, Claimed: claim.Claimed, Holders: claim.Holders,
			Registry: claim.Registry, Previous: e.Previous, Release: e.Release, Was: &was,
		}
	}
	if e.State == Ready {
		if e.Claim != nil {
			release(e.Claim.Image)
		}
		e.Claim = &claim
		return e
	}
	next := &Evidence{
		State: Pending, Image: claim.Image, ImageID: claim.ImageID, Claimed: claim.Claimed,
		Holders: claim.Holders, Registry: claim.Registry,
	}
	if e.Was != nil && e.Image == wish.Image {
		// Moved on before it was there.
		next.Was, next.Previous, next.Release = e.Was, e.Previous, e.Release
		return next
	}
	for _, image := range e.Tags() {
		if image != wish.Image {
			next.Release = join(next.Release, image)
		}
	}
	return next
}

// Fact is what a run saw to be true on every node.
type Fact struct {
	Name     string
	Image    string
	ImageID  string
	Source   string
	Platform string
	Nodes    []string
	// Registry that has it, with its digests there; nil for nodes.
	Registry *Registry
	// Engine, EngineID, Host, SourceWas, Commit and By as Evidence has them.
	Engine, EngineID, Host, SourceWas, Commit, By string
	// Keep is how many images of before keep their tags; others do while they
	// are InUse.
	Keep  int
	InUse func(image string) bool
	// LeftOver are tags that go with it, since no record has them.
	LeftOver []string
}

// SupersededError says that another run claimed the image for other content
// meanwhile.
type SupersededError struct{ Name, Ours, Theirs string }

func (e *SupersededError) Error() string {
	return fmt.Sprintf("%s was tagged by another run at the same time: %s instead of %s; run again if yours is the "+
		"right content",
		e.Name, e.Theirs, e.Ours)
}

// Complete turns a claim into the record. Completing what is recorded already
// changes nothing. It returns the tags that are left to be taken off the nodes.
func (s *Set) Complete(fact Fact) (release []string, err error) {
	evidence, err := s.Entry(fact.Name)
	if err != nil {
		return nil, err
	}
	if evidence == nil {
		return nil, &SupersededError{Name: fact.Name, Ours: fact.Image, Theirs: "nothing"}
	}
	is := func(image, imageID string) bool { return image == fact.Image && imageID == fact.ImageID }
	if evidence.State == Ready && evidence.Claim == nil && is(evidence.Image, evidence.ImageID) {
		return evidence.Release, nil
	}
	var claimed Claim
	switch {
	case evidence.State == Pending && is(evidence.Image, evidence.ImageID):
		claimed = Claim{Claimed: evidence.Claimed}
	case evidence.Claim != nil && is(evidence.Claim.Image, evidence.Claim.ImageID):
		claimed = *evidence.Claim
		evidence.Previous = slices.Insert(evidence.Previous, 0,
			Previous{Image: evidence.Image, ImageID: evidence.ImageID, Recorded: evidence.Recorded})
		evidence.keep(fact)
	default:
		theirs := evidence.Image
		if evidence.Claim != nil {
			theirs = evidence.Claim.Image
		}
		return nil, &SupersededError{Name: fact.Name, Ours: fact.Image, Theirs: theirs}
	}
	recorded := Now()
	done := &Evidence{
		State: Ready, Image: fact.Image, ImageID: fact.ImageID, Source: fact.Source, Platform: fact.Platform,
		Engine: fact.Engine, EngineID: fact.EngineID, Host: fact.Host, SourceWas: fact.SourceWas, Commit: fact.Commit,
		By: fact.By, Registry: fact.Registry, Nodes: fact.Nodes, Claimed: claimed.Claimed, Recorded: &recorded,
		Previous: evidence.Previous, Release: without(evidence.Release, fact.Image),
	}
	for _, tag := range fact.LeftOver {
		done.Release = join(done.Release, tag)
	}
	return done.Release, s.put(fact.Name, done)
}

// keep lets go of the tags of before that nobody needs. What came back is none of them.
func (e *Evidence) keep(fact Fact) {
	seen := map[string]bool{cmp.Or(fact.Image, e.Image): true}
	e.Previous = slices.DeleteFunc(e.Previous, func(previous Previous) bool {
		again := seen[previous.Image]
		seen[previous.Image] = true
		return again
	})
	var kept []Previous
	for i, previous := range e.Previous {
		switch {
		case i < min(fact.Keep, maxPrevious), len(kept) < maxPrevious && fact.InUse != nil && fact.InUse(previous.Image):
			kept = append(kept, previous)
		default:
			e.Release = join(e.Release, previous.Image)
		}
	}
	e.Previous = kept
}

func join(list []string, item string) []string {
	if slices.Contains(list, item) {
		return list
	}
	return append(list, item)
}

func without(list []string, item string) []string {
	return slices.DeleteFunc(slices.Clone(list), func(other string) bool { return other == item })
}
