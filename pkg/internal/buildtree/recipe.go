package buildtree

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strings"

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
	args["TARGETPLATFORM"], args["TARGETOS"], args["TARGETARCH"], args["TARGETVARIANT"] = platform, system, architecture,
		variant
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
