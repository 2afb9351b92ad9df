package engine

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
)

func TestAnAnswerThatIsNotUnderstoodIsNoImage(t *testing.T) {
	t.Parallel()
	one := `{"Id":"` + oneID + `","Os":"linux","Architecture":"amd64","RootFS":{"Layers":["` + twoID + `"]}}`
	for name, said := range map[string]string{
		"nothing":               "",
		"cut off":               "[" + one[:len(one)/2],
		"an empty list":         "[]",
		"null":                  "null",
		"two images":            "[" + one + "," + one + "]",
		"no list":               one,
		"a warning before it":   "WARNING: this is old\n[" + one + "]",
		"something behind it":   "[" + one + "]\n[]",
		"a page of a proxy":     "<html>502 Bad Gateway</html>",
		"nothing of an image":   "[{}]",
		"an ID that is short":   `[{"Id":"sha256:1234"}]`,
		"an ID of another kind": `[{"Id":["` + oneID + `"]}]`,
		"a layer that is none":  strings.Replace("["+one+"]", twoID, "sha256:22", 1),
		"a layer with a path":   strings.Replace("["+one+"]", twoID, "../../etc", 1),
	} {
		for _, engine := range engines {
			t.Run(engine+" says "+name, func(t *testing.T) {
				t.Parallel()
				answers := host{engine + " image inspect": prints(said)}
				found, err := Find(t.Context(), answers, engine, "localhost/x:dev")
				if err == nil || IsGone(err) || !strings.Contains(err.Error(), "what "+engine+" image inspect printed is not understood") || strings.Contains(err.Error(), "nil") {
					t.Errorf("it is %+v, %v", found, err)
				}
				if id, err := ID(t.Context(), answers, engine, "localhost/x:dev"); err == nil {
					t.Errorf("its ID is %q", id)
				}
				if err := (Image{Engine: engine, Reference: "localhost/x:dev"}).Remove(t.Context(), answers); err == nil {
					t.Error("it was removed")
				}
			})
		}
	}
}

// Docker 29 has it so of an index of which it has content for other platforms only.
func TestAnImageOfNoPlatformIsForNone(t *testing.T) {
	t.Parallel()
	answers := host{"docker image inspect": prints(`[{"Id":"` + oneID + `","RepoTags":["localhost/x:dev"],"Os":"","Architecture":"","RootFS":{}}]`)}
	found, err := Find(t.Context(), answers, "docker", "localhost/x:dev")
	if err != nil || found.Platform != "" || found.EngineID != oneID {
		t.Errorf("it is %+v, %v", found, err)
	}
}

func TestAnArchiveThatIsNoneIsNoImage(t *testing.T) {
	t.Parallel()
	image, said := built(t)
	for name, save := range map[string]func([]string, io.Writer) error{
		"nothing": prints(""),
		"words":   prints("WARNING: this engine is old\n"),
		"a warning before it": func(argv []string, out io.Writer) error {
			return errors.Join(prints("WARNING\n")(argv, out), saves(t, image)(argv, out))
		},
		"cut off": func(argv []string, out io.Writer) error {
			var whole bytes.Buffer
			err := saves(t, image)(argv, &whole)
			_, cut := out.Write(whole.Bytes()[:whole.Len()/2])
			return errors.Join(err, cut)
		},
		"another image": func(argv []string, out io.Writer) error {
			other, _ := built(t)
			return saves(t, other)(argv, out)
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got, _, err := readAll(t, said, host{"engine save": save}, &node{}); err == nil {
				t.Errorf("it is %s", got.ID)
			}
		})
	}
}
