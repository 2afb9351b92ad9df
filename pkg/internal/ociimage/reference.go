package ociimage

import (
	"fmt"
	"path"
	"regexp"
	"strings"

	"github.com/distribution/reference"
)

// Normalize returns the fully qualified form of a tagged reference, the only
// form that containerd and the CRI agree on: "localhost/x:t" stays as it is,
// "x:t" becomes "docker.io/library/x:t", a missing tag becomes ":latest". Beside a
// digest a tag means nothing, and both leave it out.
func Normalize(ref string) (string, error) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "", fmt.Errorf("%q is not an image reference: %w", ref, err)
	}
	if digested, ok := named.(reference.Digested); ok {
		return named.Name() + "@" + digested.Digest().String(), nil
	}
	return reference.TagNameOnly(named).String(), nil
}

// Candidates returns the names under which a node may hold what a user calls
// ref. A reference without a domain means docker.io/library/… to docker and
// localhost/… to podman; a node may have been loaded by either.
func Candidates(ref string) ([]string, error) {
	full, err := Normalize(ref)
	if err != nil {
		return nil, err
	}
	candidates := []string{full}
	if !hasDomain(ref) {
		local, err := Normalize("localhost/" + ref)
		if err != nil {
			return nil, err
		}
		candidates = append(candidates, local)
	}
	return candidates, nil
}

// hasDomain tells whether the first path component of ref names a registry, by
// the rule of the reference grammar: a dot, a port, or localhost.
func hasDomain(ref string) bool {
	first, _, found := strings.Cut(ref, "/")
	return found && (first == "localhost" || strings.ContainsAny(first, ".:"))
}

// Join builds the recorded image from a repository and a tag and checks the
// whole against the reference grammar.
func Join(repository, tag string) (string, error) {
	named, err := reference.ParseNormalizedNamed(repository)
	if err != nil {
		return "", fmt.Errorf("repository %q: %w", repository, err)
	}
	if !reference.IsNameOnly(named) {
		return "", fmt.Errorf("repository %q has a tag or digest; give it without", repository)
	}
	tagged, err := reference.WithTag(named, tag)
	if err != nil {
		return "", fmt.Errorf("tag %q: %w: at most 128 of [A-Za-z0-9_.-], not starting with . or -", tag, err)
	}
	return tagged.String(), nil
}

// Split takes a recorded image apart into repository and tag.
func Split(image string) (repository, tag string, err error) {
	named, err := reference.ParseNormalizedNamed(image)
	if err != nil {
		return "", "", fmt.Errorf("%q is not an image reference: %w", image, err)
	}
	tagged, ok := named.(reference.Tagged)
	if !ok {
		return "", "", fmt.Errorf("%q has no tag", image)
	}
	return named.Name(), tagged.Tag(), nil
}

// Repository returns the fully qualified name of ref without tag and digest,
// or "" when ref is no reference.
func Repository(ref string) string {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return ""
	}
	return named.Name()
}

// Alike tells whether of two references one's last path component contains the
// other's: what somebody may have meant who mistyped one.
func Alike(a, b string) bool {
	a, b = path.Base(Repository(a)), path.Base(Repository(b))
	if a == "." || b == "." {
		return false
	}
	return strings.Contains(a, b) || strings.Contains(b, a)
}

var imageID = regexp.MustCompile(`^(sha256:)?[0-9a-f]{64}$`)

// ParseImageID returns id in the form "sha256:<64 hex>" and whether it is an
// image ID at all. Engines print it with and without the algorithm.
func ParseImageID(id string) (string, bool) {
	if !imageID.MatchString(id) {
		return "", false
	}
	return "sha256:" + strings.TrimPrefix(id, "sha256:"), true
}

// ShortID abbreviates an image ID for messages to 12 hex digits.
func ShortID(id string) string {
	digits := strings.TrimPrefix(id, "sha256:")
	if len(digits) > 12 {
		digits = digits[:12]
	}
	return "sha256:" + digits
}
