package nodeimage

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/test/internal/command"
)

// ownSource is the source of this package. It is part of the image's identity,
// so that a changed builder can never hand out an image of an older one.
//
//go:embed *.go
var ownSource embed.FS

// Repository is the name of built node images; the tag says what is in one.
const Repository = "localhost/e2eimage-node"

// inputs is everything that decides what is in the image.
type inputs struct {
	// moduleDir is the root of this repository, kindDir that of kind's
	// module in the module cache.
	moduleDir, kindDir string
	modules            []module
	restrictOOM        bool
	hash               string
}

// reference is the image's name: the version for people, the hash for us.
func (in inputs) reference() string {
	return Repository + ":" + in.module("kubernetes").version + "-" + in.hash
}

// module gives a module of ours by its folder's name.
func (in inputs) module(folder string) module {
	i := slices.IndexFunc(in.modules, func(m module) bool { return m.folder == folder })
	return in.modules[i]
}

func (b Builder) inputs(ctx context.Context) (inputs, error) {
	in := inputs{restrictOOM: !b.Facts.SysResource}
	out, err := command.Output(ctx, "go", "list", "-m", "-f", "{{.Path}} {{.Version}} {{.Dir}}", mainModule, "sigs.k8s.io/kind")
	if err != nil {
		return in, fmt.Errorf("find the sources (run this from within the repository, with its modules downloaded): %w", err)
	}
	h := sha256.New()
	for line := range strings.Lines(out) {
		fields := strings.Fields(line)
		switch {
		case fields[0] == mainModule:
			// It has a version where the tests of another module ask.
			in.moduleDir = fields[len(fields)-1]
		case len(fields) == 3:
			in.kindDir = fields[2]
			fmt.Fprintln(h, fields[0], fields[1])
		}
	}
	if in.moduleDir == "" || in.kindDir == "" {
		return in, fmt.Errorf("go list found no folder for %s or sigs.k8s.io/kind:\n%s", mainModule, out)
	}
	in.modules, err = readModules(ctx, filepath.Join(in.moduleDir, "test", "nodeimage"))
	if err != nil {
		return in, err
	}
	for _, m := range in.modules {
		fmt.Fprintln(h, m.folder, m.key)
	}
	fmt.Fprintln(h, runtime.GOARCH, in.restrictOOM)
	if err := hashSources(h, in.moduleDir); err != nil {
		return in, err
	}
	in.hash = hex.EncodeToString(h.Sum(nil))[:12]
	return in, nil
}

// hashSources takes in the builder and the small programs of the image.
func hashSources(h io.Writer, moduleDir string) error {
	own, err := ownSource.ReadDir(".")
	if err != nil {
		return err
	}
	for _, entry := range own {
		if strings.HasSuffix(entry.Name(), "_test.go") {
			continue
		}
		text, err := ownSource.ReadFile(entry.Name())
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d %s\n", entry.Name(), len(text), text)
	}
	for _, program := range ownPrograms() {
		text, err := os.ReadFile(filepath.Join(moduleDir, "test", "nodeimage", program, "main.go"))
		if err != nil {
			return err
		}
		fmt.Fprintf(h, "%s %d %s\n", program, len(text), text)
	}
	return nil
}
