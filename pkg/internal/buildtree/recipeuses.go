package buildtree

import (
	"fmt"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
)

// uses notes another stage, or an image, that a stage needs.
func (r *recipe) uses(s *stage, what string, byNumber bool) {
	before := r.stages[:len(r.stages)-1]
	i := slices.IndexFunc(before, func(other *stage) bool {
		return other.name != "" && other.name == strings.ToLower(what)
	})
	if number, err := strconv.Atoi(what); byNumber && i < 0 && err == nil && number >= 0 && number < len(before) {
		i = number
	}
	switch {
	case i >= 0:
		s.stages = append(s.stages, i)
	case what == "scratch":
	case !isImage(what):
		s.unknown = fmt.Sprintf("which image %q is", what)
	default:
		s.images = append(s.images, what)
	}
}

// isImage tells whether an engine would look for an image of that name, and not for an
// archive or a folder, as podman does.
func isImage(name string) bool {
	transport, _, _ := strings.Cut(name, ":")
	if slices.Contains([]string{
		"containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive",
		"ostree", "sif",
	}, transport) {
		return false
	}
	_, err := reference.ParseAnyReference(name)
	return err == nil
}

// files is a COPY or ADD.
func (r *recipe) files(s *stage, name string, words []string, node *parser.Node) {
	var from string
	var pinned bool
	for _, flag := range node.Flags {
		if value, is := strings.CutPrefix(flag, "--from="); is {
			from = value
		}
		pinned = pinned || strings.HasPrefix(flag, "--checksum=")
	}
	if from != "" {
		r.fromOther(s, from)
		return
	}
	for _, word := range words[:max(0, len(words)-1)] {
		path, known := r.expand(word, s.env)
		switch {
		case !known && name == command.Add:
			s.unknown = "what ADD " + word + " brings"
		case name == command.Add && isRemote(path) && !pinned:
			s.unknown = "what is at " + path
		case !known:
			path = "*"
		}
		s.takes = append(s.takes, path)
	}
}

// isRemote tells whether ADD would fetch it.
func isRemote(source string) bool {
	return strings.Contains(source, "://") || strings.HasPrefix(source, "git@")
}

// mount is what a RUN has of other stages, images or the context.
func (r *recipe) mount(s *stage, mount string) {
	kind, from, source := "bind", "", "."
	for field := range strings.SplitSeq(mount, ",") {
		key, value, _ := strings.Cut(strings.Trim(field, `"`), "=")
		switch strings.ToLower(key) {
		case "type":
			kind = value
		case "from":
			from = value
		case "source", "src":
			source = value
		}
	}
	switch {
	case from != "":
		r.fromOther(s, from)
	case kind == "bind":
		s.takes = append(s.takes, source)
	}
}

func (r *recipe) fromOther(s *stage, from string) {
	what, known := r.expand(from, s.env)
	if !known {
		s.unknown = fmt.Sprintf("which image %q is", from)
		return
	}
	r.uses(s, what, true)
}
