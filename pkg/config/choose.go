package config

import (
	"fmt"
	"slices"
	"strings"
)

// choose picks the suite of the file: by consumer, else the only one of the
// asked Kind cluster, else the only one.
func (r *resolver) choose() (fileSuite, bool) {
	f := &r.doc.file
	if len(f.Suites) == 0 {
		return f.suites()[0], true
	}
	if r.flags.Consumer != "" {
		return r.chooseConsumer(r.flags.Consumer)
	}
	several := "several suites"
	if r.flags.KindCluster != "" {
		var there []fileSuite
		for _, suite := range f.Suites {
			if suite.KindCluster == r.flags.KindCluster {
				there = append(there, suite)
			}
		}
		switch len(there) {
		case 0:
			several = fmt.Sprintf("several suites, none for Kind cluster %s", quote(r.flags.KindCluster))
		case 1:
			return there[0], true
		default:
			several = fmt.Sprintf("several suites for Kind cluster %s", quote(r.flags.KindCluster))
			r.found.add(place{text: r.doc.path}, "has %s: %s; say which with --consumer", several, consumers(there))
			return fileSuite{}, false
		}
	}
	if len(f.Suites) == 1 {
		return f.Suites[0], true
	}
	r.found.add(place{text: r.doc.path}, "has %s: %s; say which with --consumer", several, consumers(f.Suites))
	return fileSuite{}, false
}

func (r *resolver) chooseConsumer(asked string) (fileSuite, bool) {
	suites := r.doc.file.Suites
	known := make([]string, 0, len(suites))
	for _, suite := range suites {
		if suite.Consumer == asked {
			return suite, true
		}
		known = append(known, suite.Consumer)
	}
	if dnsLabel.MatchString(asked) {
		r.found.add(r.flagPlace("--consumer"), "%s has no suite %q; its suites are %s%s", r.doc.path, asked, consumers(suites),
			didYouMean(asked, known))
	}
	return fileSuite{}, false
}

func consumers(suites []fileSuite) string {
	names := make([]string, 0, len(suites))
	for _, suite := range suites {
		names = append(names, suite.Consumer)
	}
	return strings.Join(names, ", ")
}

// names are the asked ones, each once.
func (r *resolver) names() []string {
	var names []string
	for _, name := range r.flags.Names {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	return names
}

// chosenImages are the asked images of the file, else all of the suite, and the others
// of the suite. An image with --source needs no entry in the file.
func (r *resolver) chosenImages(suite fileSuite) (chosen, others []fileImage) {
	byName := map[string]fileImage{}
	var known []string
	for _, image := range r.doc.file.Images {
		byName[image.Name] = image
		known = append(known, image.Name)
	}
	all := suite.Images
	if all == nil {
		all = known
	}
	names := r.names()
	if len(names) == 0 {
		names = all
	}
	for _, name := range names {
		image, ok := byName[name]
		if !ok {
			if _, loose := r.loose[name]; !loose && r.flags.Source == "" {
				r.unknownImage(name, known)
				continue
			}
			image = fileImage{Name: name}
		}
		chosen = append(chosen, image)
	}
	for _, name := range all {
		if !slices.Contains(names, name) {
			others = append(others, byName[name])
		}
	}
	return chosen, others
}

func (r *resolver) unknownImage(name string, known []string) {
	if dnsLabel.MatchString(name) {
		r.found.add(said("NAME"), "%s has no image %q; it has %s%s", r.doc.path, name, strings.Join(known, ", "),
			didYouMean(name, known))
	}
}
