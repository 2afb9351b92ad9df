package config

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"al.essio.dev/pkg/shellescape"
)

// archiveFile is what files are called that hold an image.
var archiveFile = regexp.MustCompile(`\.(tar|tgz|tar\.[a-z0-9]+)$`)

// tellApart sorts names from images: an image gets a name of its own, in the same place.
func (r *resolver) tellApart() {
	r.loose = map[string]string{}
	bySource := map[string]string{}
	var known []string
	if r.doc != nil {
		for _, image := range r.doc.file.Images {
			known = append(known, image.Name)
			for _, source := range []string{image.Source, image.External} {
				if source != "" {
					bySource[source] = image.Name
				}
			}
		}
	}
	var names []string
	for _, given := range r.flags.Names {
		name, listed := bySource[given]
		switch {
		case slices.Contains(known, given) || given == "":
			name = given
		case listed:
		case r.doc == nil && r.flags.Lock != "" && dnsLabel.MatchString(given):
			// The lock says what was built under that name.
			name = given
		default:
			if err := r.notLoadable(given, known); err != nil {
				r.found.add(said("NAME"), "%v", err)
				continue
			}
			name = r.called(given, slices.Concat(known, names))
		}
		names = append(names, name)
	}
	r.flags.Names = names
}

// notLoadable says why something that is no NAME is no image either, or may be two
// things.
func (r *resolver) notLoadable(given string, known []string) error {
	asSource := func(source string) string {
		return "kubectl e2eimage load --source " + shellescape.Quote(source)
	}
	plain := dnsLabel.MatchString(given)
	if near := didYouMean(given, known); plain && near != "" {
		return fmt.Errorf("%s has no image %q; it has %s%s\nto load an image of that name: %s", r.doc.path, given,
			strings.Join(known, ", "), near, asSource(given))
	}
	source, err := ParseSource(given)
	switch {
	case err != nil && archiveFile.MatchString(given):
		return fmt.Errorf("%q is a file, and no image\nload it: kubectl e2eimage load %s", given,
			shellescape.Quote("docker-archive:"+given))
	case err != nil && !strings.ContainsAny(given, "/:@"):
		return checkName(given)
	case err != nil:
		return err
	case source.Kind == SourceReference && archiveFile.MatchString(given):
		return fmt.Errorf("%q may be a file or an image\nfor the file: kubectl e2eimage load %s\nfor the image: %s",
			given, shellescape.Quote("docker-archive:"+given), asSource(given))
	}
	return checkNamed(given)
}

// called remembers an image under a name that is not taken.
func (r *resolver) called(source string, taken []string) string {
	for name, other := range r.loose {
		if other == source {
			return name
		}
	}
	base := NameOf(source)
	name := base
	for i := 2; slices.Contains(taken, name); i++ {
		name = fmt.Sprintf("%s-%d", strings.Trim(base[:min(len(base), 58)], "-"), i)
	}
	r.loose[name] = source
	return name
}

var notLabel = regexp.MustCompile(`[^a-z0-9-]+`)

// NameOf makes a name of a source for which nobody gave one: it only stands in messages.
func NameOf(source string) string {
	last := source[strings.LastIndex(source, "/")+1:]
	last, _, _ = strings.Cut(last, "@")
	if before, _, tagged := strings.Cut(last, ":"); tagged && strings.Contains(source, "/") {
		last = before
	}
	name := strings.Trim(notLabel.ReplaceAllString(strings.ToLower(last), "-"), "-")
	name = strings.Trim(name[:min(len(name), 63)], "-")
	if name == "" {
		return "image"
	}
	return name
}
