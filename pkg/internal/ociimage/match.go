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
// references and repositories. What is no reference fits nothing.
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
		case !reference.IsNameOnly(is) && reference.TagNameOnly(is).String() == reference.TagNameOnly(has).String():
			return Fully
		default:
			best = ByRepository
		}
	}
	return best
}
