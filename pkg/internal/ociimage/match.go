package ociimage

import "github.com/distribution/reference"

// Match is how well a reference fits an image.
type Match int

// How well a reference fits.
const (
	// NoMatch: it is another image.
	NoMatch Match = iota
	// ByRepository: the same repository with another tag or digest.
	ByRepository
	// Fully: repository and tag.
	Fully
)

// MatchReference tells how well a reference fits an image that is known under some
// references and repositories. One with tag and digest fits the tag. What is no reference fits
// nothing.
func MatchReference(ref string, known ...string) Match {
	has, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return NoMatch
	}
	best := NoMatch
	for _, one := range known {
		is, err := reference.ParseNormalizedNamed(one)
		switch {
		case err != nil || is.Name() != has.Name():
		case !reference.IsNameOnly(is) && sameTag(is, has):
			return Fully
		default:
			best = ByRepository
		}
	}
	return best
}

// sameTag tells whether two references of one repository have the same tag and, where both have
// one, the same digest.
func sameTag(a, b reference.Named) bool {
	tag := func(of reference.Named) string {
		if tagged, ok := reference.TagNameOnly(of).(reference.Tagged); ok {
			return tagged.Tag()
		}
		return ""
	}
	digestOf := func(of reference.Named) string {
		if digested, ok := of.(reference.Digested); ok {
			return digested.Digest().String()
		}
		return ""
	}
	return tag(a) == tag(b) && (digestOf(a) == digestOf(b) || tag(a) != "" && (digestOf(a) == "" || digestOf(b) == ""))
}
