package record

import (
	"errors"
	"slices"
)

// Abandon gives up what holder claimed for name. It returns the tag that has
// to be taken off the nodes, "" when another run still carries the claim or
// the claim is gone. While the tag is being taken off, nobody can adopt it;
// Released ends that.
func (s *Set) Abandon(name, image, holder string) (release string, err error) {
	evidence, err := s.evidence(name)
	if err != nil || evidence == nil {
		return "", err
	}
	switch {
	case evidence.State == Pending && evidence.Image == image:
		evidence.Holders = without(evidence.Holders, holder)
		if len(evidence.Holders) > 0 || evidence.Was != nil {
			// A tag that moves goes back, and then MovedBack.
			return "", s.put(name, evidence)
		}
		evidence.State = Releasing
		return image, s.put(name, evidence)
	case evidence.Claim != nil && evidence.Claim.Image == image:
		evidence.Claim.Holders = without(evidence.Claim.Holders, holder)
		if len(evidence.Claim.Holders) > 0 {
			return "", s.put(name, evidence)
		}
		evidence.Claim = nil
		evidence.Release = join(evidence.Release, image)
		return image, s.put(name, evidence)
	}
	return "", nil
}

// Moving returns what a shared tag has to stand for again when a run gives up image
// with imageID for name: what it was before, or what another run made of it. nil
// where nothing has to be done.
func (s *Set) Moving(name, image, imageID string) (*Evidence, error) {
	evidence, err := s.evidence(name)
	switch {
	case err != nil || evidence == nil || evidence.Image != image:
		return nil, err
	case evidence.State == Ready && evidence.ImageID != imageID:
		return evidence, nil
	case evidence.State == Pending && len(evidence.Holders) == 0 && evidence.Was != nil:
		return evidence.Was, nil
	}
	return nil, nil
}

// MovedBack notes that a shared tag is on all nodes what it was.
func (s *Set) MovedBack(name, image string) error {
	evidence, err := s.evidence(name)
	if err != nil || evidence == nil || evidence.State != Pending || evidence.Image != image || evidence.Was == nil ||
		len(evidence.Holders) > 0 {
		return err
	}
	was := *evidence.Was
	was.Previous, was.Release = evidence.Previous, evidence.Release
	return s.put(name, &was)
}

// BeginTrim lets go of the images of before that name's record does not have to
// keep, and returns their tags, which stay listed until Released.
func (s *Set) BeginTrim(name string, fact Fact) ([]string, error) {
	evidence, err := s.Entry(name)
	if err != nil || evidence == nil {
		return nil, err
	}
	evidence.keep(fact)
	evidence.Release = without(evidence.Release, evidence.Image)
	return evidence.Release, s.put(name, evidence)
}

// BeginRelease withdraws the record of name: its annotation goes at once, its
// tags are returned and stay listed until Released.
func (s *Set) BeginRelease(name string) ([]string, error) {
	evidence, err := s.evidence(name)
	var unreadable *UnreadableError
	if errors.As(err, &unreadable) {
		// Its tags are known by their label only.
		return nil, s.put(name, nil)
	}
	if err != nil {
		return nil, err
	}
	if evidence == nil {
		// An annotation without evidence: what a hand left behind.
		return nil, s.put(name, nil)
	}
	evidence.State = Releasing
	if evidence.Claim != nil {
		// A run that carries the next image out must not complete it any more.
		evidence.Release = join(evidence.Release, evidence.Claim.Image)
		evidence.Claim = nil
	}
	return evidence.Tags(), s.put(name, evidence)
}

// Drop takes the entry of name away, and nothing else.
func (s *Set) Drop(name string) error { return s.put(name, nil) }

// Damaged tells whether an entry is not to be believed, and why: it was changed by hand,
// or is no evidence.
func Damaged(err error) bool {
	var tampered *TamperedError
	var unreadable *UnreadableError
	return errors.As(err, &tampered) || errors.As(err, &unreadable)
}

// Released notes that tags of name are off all nodes. An entry that was being
// released goes when none of its tags is left.
func (s *Set) Released(name string, tags []string) error {
	evidence, err := s.evidence(name)
	if err != nil || evidence == nil {
		return err
	}
	evidence.Release = slices.DeleteFunc(evidence.Release, func(tag string) bool { return slices.Contains(tags, tag) })
	evidence.Previous = slices.DeleteFunc(evidence.Previous, func(p Previous) bool {
		return slices.Contains(tags, p.Image)
	})
	if evidence.State != Releasing {
		return s.put(name, evidence)
	}
	left := slices.DeleteFunc(evidence.Tags(), func(tag string) bool { return slices.Contains(tags, tag) })
	if len(left) == 0 {
		return s.put(name, nil)
	}
	return s.put(name, evidence)
}
