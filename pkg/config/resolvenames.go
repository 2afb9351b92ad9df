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

// tellImagesFromNames gives each image that stands where a NAME can a name of its own, in
// the same place.
func (r *resolver) tellImagesFromNames() {
	r.loose = map[string]string{}
	bySource := map[string]string{}
	for _, image := range r.doc.file.Images {
		bySource[image.Source], bySource[image.External] = image.Name, image.Name
	}
	known, names := r.doc.file.imageNames(), []string(nil)
	for _, given := range r.flags.Names {
		name, listed := bySource[given]
		switch {
		case slices.Contains(known, given) || given == "":
			name = given
		case listed:
		case r.doc.path == "" && r.flags.Lock != "" && dnsLabel.MatchString(given):
			// The lock says what was built under that name.
			name = given
		default:
			if err := r.notLoadable(given, known); err != nil {
				r.found.add(r.flagPlace("NAME"), "%v", err)
				continue
			}
			name = r.looseName(given, slices.Concat(known, names))
		}
		names = append(names, name)
	}
	r.flags.Names = names
}

// notLoadable says why something that is no NAME is no image either, or may be two
// things.
func (r *resolver) notLoadable(given string, known []string) error {
	asImage := "kubectl e2eimage load --source " + shellescape.Quote(given)
	asFile := "kubectl e2eimage load " + shellescape.Quote("docker-archive:"+given)
	if dnsLabel.MatchString(given) && didYouMean(given, known) != "" {
		return fmt.Errorf("%w\nto load an image of that name: %s", r.noImage(given), asImage)
	}
	source, err := ParseSource(given)
	switch isFile := archiveFile.MatchString(given); {
	case err != nil && isFile:
		return fmt.Errorf("%q is a file, and no image\nload it: %s", given, asFile)
	case err != nil && !strings.ContainsAny(given, "/:@"):
		return checkName(given)
	case err != nil:
		return err
	case isFile && source.Kind == SourceReference:
		return fmt.Errorf("%q may be a file or an image\nfor the file: %s\nfor the image: %s", given, asFile, asImage)
	}
	return source.Nameable()
}

// looseName remembers an image under a name that is not taken.
func (r *resolver) looseName(source string, taken []string) string {
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
