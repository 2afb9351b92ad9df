package buildtree

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/frontend/dockerfile/command"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// recipe is what a Dockerfile says that an image is made of.
type recipe struct {
	lex    *shell.Lex
	engine string
	args   map[string]string
	// global are the arguments before the first stage.
	global variables
	stages []*stage
}

// stage is one FROM and what follows.
type stage struct {
	name string
	// stages and images that it is built on or takes files from.
	stages []int
	images []string
	// takes are the paths of the context that it takes, as patterns.
	takes []string
	env   variables
	// unknown says why not all of this can be known.
	unknown string
}

// variables are arguments and the environment.
type variables map[string]string

// Get implements shell.EnvGetter.
func (v variables) Get(key string) (string, bool) {
	value, has := v[key]
	return value, has
}

// Keys implements shell.EnvGetter.
func (v variables) Keys() []string { return nil }

// readRecipe reads Dockerfiles, which podman puts together where there are several.
func readRecipe(engine string, paths []string, args map[string]string, platform string) (*recipe, error) {
	var text bytes.Buffer
	for _, path := range paths {
		if engine == podman && strings.HasSuffix(path, ".in") {
			return nil, fmt.Errorf("%s goes through a preprocessor", filepath.Base(path))
		}
		content, err := os.ReadFile(path)
		if err != nil {
			return nil, err
		}
		text.Write(content)
		text.WriteByte('\n')
	}
	if frontend := frontend(text.Bytes(), args); engine == docker && frontend != "" {
		return nil, fmt.Errorf("its syntax is %s", frontend)
	}
	parsed, err := parser.Parse(&text)
	if err != nil {
		return nil, err
	}
	r := &recipe{lex: shell.NewLex(parsed.EscapeToken), engine: engine, args: args, global: platformArgs(platform)}
	for _, node := range parsed.AST.Children {
		if err := r.instruction(node); err != nil {
			return nil, fmt.Errorf("line %d: %w", node.StartLine, err)
		}
	}
	if len(r.stages) == 0 {
		return nil, errors.New("it has no FROM")
	}
	return r, nil
}

// frontend is what reads the Dockerfile instead of docker's own, "" for that.
func frontend(text []byte, args map[string]string) string {
	said, has := args["BUILDKIT_SYNTAX"]
	if !has {
		said, _, _, _ = parser.DetectSyntax(text)
	}
	if strings.HasPrefix(strings.TrimPrefix(said, "docker.io/"), "docker/dockerfile") {
		return ""
	}
	return said
}

// platformArgs are the arguments that engines give of themselves, for one platform.
func platformArgs(platform string) variables {
	host := "linux/" + runtime.GOARCH
	args := variables{"BUILDPLATFORM": host, "BUILDOS": "linux", "BUILDARCH": runtime.GOARCH}
	platform = cmp.Or(platform, host)
	if strings.Contains(platform, ",") {
		return args
	}
	system, architecture, _ := strings.Cut(platform, "/")
	architecture, variant, _ := strings.Cut(architecture, "/")
	args["TARGETPLATFORM"], args["TARGETOS"], args["TARGETARCH"], args["TARGETVARIANT"] = platform, system, architecture, variant
	return args
}

func (r *recipe) instruction(node *parser.Node) error {
	name := strings.ToLower(node.Value)
	if _, known := command.Commands[name]; !known {
		return fmt.Errorf("what %s does is not known", node.Value)
	}
	words := wordsOf(node)
	if name == command.From {
		r.from(words)
		return nil
	}
	if len(r.stages) == 0 {
		if name == command.Arg {
			r.argument(words, r.global, nil, r.expandAll)
		}
		return nil
	}
	s := r.stages[len(r.stages)-1]
	switch name {
	case command.Arg:
		r.argument(words, s.env, r.global, r.expand)
	case command.Env:
		// Each is a name, a value, and what stood between.
		for i := 0; i+1 < len(words); i += 3 {
			delete(s.env, words[i])
			if value, known := r.expand(words[i+1], s.env); known {
				s.env[words[i]] = value
			}
		}
	case command.Copy, command.Add:
		r.files(s, name, words, node)
	case command.Run:
		for _, flag := range node.Flags {
			if mount, is := strings.CutPrefix(flag, "--mount="); is {
				r.mount(s, mount)
			}
		}
	}
	return nil
}

func wordsOf(node *parser.Node) []string {
	var words []string
	for next := node.Next; next != nil; next = next.Next {
		words = append(words, next.Value)
	}
	return words
}

// from begins a stage.
func (r *recipe) from(words []string) {
	s := &stage{env: variables{}}
	r.stages = append(r.stages, s)
	if len(words) == 3 && strings.EqualFold(words[1], "as") {
		s.name = strings.ToLower(words[2])
	}
	base := ""
	if len(words) > 0 {
		base, _ = r.expandAll(words[0], r.global)
	}
	r.uses(s, base, false)
}

// argument declares arguments: what was said for the build goes before the default.
func (r *recipe) argument(words []string, env, outer variables, expand func(string, variables) (string, bool)) {
	for _, word := range words {
		name, standard, has := strings.Cut(word, "=")
		value, said := r.args[name]
		switch {
		case said:
		case has:
			value, said = expand(standard, env)
		default:
			value, said = outer[name]
		}
		if said {
			env[name] = value
		}
	}
}

// expandAll fills variables in before and in a FROM, where all are known: what is not set
// is empty.
func (r *recipe) expandAll(word string, env variables) (string, bool) {
	value, _, err := r.lex.ProcessWord(word, env)
	return value, err == nil
}

// expand fills variables in inside a stage, and tells whether it knows all of them: what
// the base image sets, it does not.
func (r *recipe) expand(word string, env variables) (string, bool) {
	result, err := r.lex.ProcessWordWithMatches(word, env)
	return result.Result, err == nil && len(result.Unmatched) == 0
}

// uses notes another stage, or an image, that a stage needs.
func (r *recipe) uses(s *stage, what string, byNumber bool) {
	before := r.stages[:len(r.stages)-1]
	i := slices.IndexFunc(before, func(other *stage) bool { return other.name != "" && other.name == strings.ToLower(what) })
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
	if slices.Contains([]string{"containers-storage", "dir", "docker-archive", "docker-daemon", "oci", "oci-archive", "ostree", "sif"}, transport) {
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

// target is the number of the stage that is built, the last where none is named.
func (r *recipe) target(name string) (int, error) {
	if name == "" {
		return len(r.stages) - 1, nil
	}
	if i := slices.IndexFunc(r.stages, func(s *stage) bool { return s.name == strings.ToLower(name) }); i >= 0 {
		return i, nil
	}
	if i, err := strconv.Atoi(name); err == nil && i >= 0 && i < len(r.stages) {
		return i, nil
	}
	return 0, fmt.Errorf("it has no stage %s", name)
}

// bases are the images that a stage needs, itself or through other stages, and those
// of the stages before it that it does not need.
func (r *recipe) bases(target int) (needed, others []string, unknown string) {
	needs := map[int]bool{}
	var visit func(i int)
	visit = func(i int) {
		if needs[i] {
			return
		}
		needs[i] = true
		for _, other := range r.stages[i].stages {
			visit(other)
		}
	}
	visit(target)
	for i, s := range r.stages[:target+1] {
		if !needs[i] {
			others = append(others, s.images...)
			continue
		}
		needed = append(needed, s.images...)
		if unknown == "" {
			unknown = s.unknown
		}
	}
	return compact(needed), compact(others), unknown
}

func compact(names []string) []string {
	slices.Sort(names)
	return slices.Compact(names)
}

// takesFrom tells whether some stage takes a folder at the context's root, or a part.
func (r *recipe) takesFrom(folder string) bool {
	return slices.ContainsFunc(r.stages, func(s *stage) bool {
		return slices.ContainsFunc(s.takes, func(path string) bool {
			first, _, _ := strings.Cut(strings.TrimPrefix(filepath.ToSlash(filepath.Clean("/"+path)), "/"), "/")
			is, err := filepath.Match(first, folder)
			return first == "" || is || err != nil
		})
	})
}
