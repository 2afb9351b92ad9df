package buildtree

import (
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestWhichImagesADockerfileNeeds(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		engine, file   string
		target         string
		args           map[string]string
		needed, others []string
		unknown        string
	}{
		"one":                             {file: "FROM base:dev\n", needed: []string{"base:dev"}},
		"nothing":                         {file: "FROM scratch\n"},
		"a stage is none":                 {file: "FROM go AS build\nFROM Build\n", needed: []string{"go"}},
		"a number is a stage for COPY":    {file: "FROM go\nFROM scratch\nCOPY --from=0 /a /\n", needed: []string{"go"}},
		"an image is copied from":         {file: "FROM scratch\nCOPY --from=localhost/tools:1 /a /\n", needed: []string{"localhost/tools:1"}},
		"an image is mounted":             {file: "FROM a\nRUN --mount=type=bind,from=b,target=/b --mount=type=cache,target=/c x\n", needed: []string{"a", "b"}},
		"a default":                       {file: "ARG BASE=base:dev\nFROM $BASE\n", needed: []string{"base:dev"}},
		"a default of a default":          {file: "ARG TAG=dev\nARG BASE=base:${TAG}\nFROM ${BASE}\n", needed: []string{"base:dev"}},
		"a default where it stands":       {file: "FROM base:${TAG:-dev}\n", needed: []string{"base:dev"}},
		"an argument":                     {file: "ARG BASE=base:dev\nFROM $BASE\n", args: map[string]string{"BASE": "other"}, needed: []string{"other"}},
		"an argument of a stage":          {file: "ARG FROM=a\nFROM scratch\nARG FROM\nCOPY --from=$FROM /a /\n", needed: []string{"a"}},
		"an argument that is not set":     {file: "ARG BASE\nFROM $BASE\n", unknown: `which image "" is`},
		"a variable of the base image":    {file: "FROM a\nCOPY --from=$PATH /a /\n", needed: []string{"a"}, unknown: `which image "$PATH" is`},
		"the environment of a stage":      {file: "FROM a\nENV B=b\nCOPY --from=$B /a /\n", needed: []string{"a", "b"}},
		"the platform":                    {file: "FROM --platform=$BUILDPLATFORM base:$TARGETARCH\n", needed: []string{"base:arm64"}},
		"a target":                        {file: "FROM a AS first\nFROM b AS second\n", target: "first", needed: []string{"a"}},
		"a stage that is not needed":      {file: "FROM a AS tests\nFROM b\n", needed: []string{"b"}, others: []string{"a"}},
		"a target that is not there":      {file: "FROM a\n", target: "none", unknown: "it has no stage none"},
		"lines that go on, and comments":  {file: "# a comment\nFROM \\\n# another\n  a \\\n  AS x\nCOPY --from=b \\\n /a /\n", needed: []string{"a", "b"}},
		"another escape":                  {file: "# escape=`\nFROM `\n  a\n", needed: []string{"a"}},
		"what stands in a heredoc":        {file: "FROM a\nRUN <<EOF\nFROM b\nCOPY --from=c /a /\nEOF\nCOPY <<EOF /x\nFROM d\nEOF\n", needed: []string{"a"}},
		"lowercase letters":               {file: "from a as b\ncopy --from=c / /\n", needed: []string{"a", "c"}},
		"docker's own syntax":             {engine: docker, file: "# syntax=docker/dockerfile:1\nFROM a\n", needed: []string{"a"}},
		"a syntax of others":              {engine: docker, file: "# syntax=example.com/other\nFROM a\n", unknown: "its syntax is example.com/other"},
		"a syntax that podman overlooks":  {engine: podman, file: "# syntax=example.com/other\nFROM a\n", needed: []string{"a"}},
		"podman's option of a mount":      {engine: podman, file: "FROM a\nRUN --mount=type=bind,from=b,target=/b,z x\n", needed: []string{"a", "b"}},
		"an archive":                      {engine: podman, file: "FROM oci-archive:base.tar\n", unknown: `which image "oci-archive:base.tar" is`},
		"a digest":                        {file: "FROM a@" + digest + "\n", needed: []string{"a@" + digest}},
		"an ID":                           {file: "FROM " + digest + "\n", needed: []string{digest}},
		"a file from elsewhere":           {file: "FROM a\nADD https://example.com/x /\n", needed: []string{"a"}, unknown: "what is at https://example.com/x"},
		"one whose digest is known":       {file: "FROM a\nADD --checksum=" + digest + " https://example.com/x /\n", needed: []string{"a"}},
		"a repository":                    {file: "FROM a\nADD git@example.com:x/y.git /\n", needed: []string{"a"}, unknown: "what is at git@example.com:x/y.git"},
		"one in a stage that is not used": {file: "FROM a AS x\nADD https://example.com/x /\nFROM b\n", needed: []string{"b"}, others: []string{"a"}},
		"what is added by a variable":     {file: "FROM a\nADD $URL /\n", needed: []string{"a"}, unknown: "what ADD $URL brings"},
		"an instruction of somebody":      {file: "FROM a\nINCLUDE b\n", unknown: "line 2: what INCLUDE does is not known"},
		"no FROM":                         {file: "ARG A\n", unknown: "it has no FROM"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "Dockerfile", test.file)
			if test.engine == "" {
				test.engine = docker
			}
			var needed, others []string
			var unknown string
			r, err := readRecipe(test.engine, []string{filepath.Join(dir, "Dockerfile")}, test.args, "linux/arm64")
			target := 0
			if err == nil {
				target, err = r.target(test.target)
			}
			if err != nil {
				unknown = err.Error()
			} else {
				needed, others, unknown = r.bases(target)
			}
			if diff := cmp.Diff([]any{test.needed, test.others, test.unknown}, []any{needed, others, unknown}); diff != "" {
				t.Errorf("(-want +got):\n%s", diff)
			}
		})
	}
}

const digest = "sha256:1111111111111111111111111111111111111111111111111111111111111111"

func TestGitsFilesCountWhereTheImageTakesThem(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		file, ignore string
		counts       bool
	}{
		"all is copied":               {file: "FROM a\nCOPY . /src\n", counts: true},
		"all is copied as a list":     {file: "FROM a\nCOPY [\"./\", \"/src\"]\n", counts: true},
		"all is added":                {file: "FROM a\nADD / /src\n", counts: true},
		"a pattern":                   {file: "FROM a\nCOPY * /src/\n", counts: true},
		"one file of it":              {file: "FROM a\nCOPY .git/HEAD /\n", counts: true},
		"a variable":                  {file: "FROM a\nCOPY $WHAT /\n", counts: true},
		"the context is mounted":      {file: "FROM a\nRUN --mount=target=/src make\n", counts: true},
		"what is not understood":      {file: "FROM a\nINCLUDE b\n", counts: true},
		"other files":                 {file: "FROM a\nCOPY go.mod cmd /src/\n"},
		"all of another stage":        {file: "FROM a AS b\nFROM c\nCOPY --from=b / /\n"},
		"a folder is mounted":         {file: "FROM a\nRUN --mount=source=cmd,target=/src make\n"},
		"a cache":                     {file: "FROM a\nRUN --mount=type=cache,target=/cache make\n"},
		"all, and it is left out":     {file: "FROM a\nCOPY . /src\n", ignore: ".git\n"},
		"all, and it is brought in":   {file: "FROM a\nCOPY . /src\n", ignore: "*\n!.git\n", counts: true},
		"text that looks like a COPY": {file: "FROM a\nRUN <<E\nCOPY . /\nE\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			write(t, dir, "Dockerfile", test.file)
			if test.ignore != "" {
				write(t, dir, ".dockerignore", test.ignore)
			}
			write(t, dir, ".git/HEAD", "x")
			tree := Tree{Engine: docker, Context: dir}
			metadata, content := digests(t, tree)
			write(t, dir, ".git/HEAD", "y")
			newMetadata, newContent := digests(t, tree)
			if (newMetadata != metadata) != test.counts || (newContent != content) != test.counts {
				t.Errorf("metadata changed: %v, content changed: %v, want %v", newMetadata != metadata, newContent != content, test.counts)
			}
		})
	}
}
