package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os/exec"
	"path/filepath"
	"slices"
)

// copyVersion is the version of golang.org/x/vulndb that stands in for the database.
const copyVersion = "v0.0.0-20261105234957-e22db6528018"

// standardLibrary is what govulncheck calls its module.
const standardLibrary = "stdlib"

// scanner calls govulncheck, which the module of this program pins.
type scanner struct{ folder, program, database string }

// finding is what govulncheck says of one vulnerability, in its JSON.
type finding struct {
	OSV   string `json:"osv"`
	Fixed string `json:"fixed_version"`
	// Trace leads from what is vulnerable, which is first, to the program.
	Trace []struct{ Module, Version, Package, Function string } `json:"trace"`
}

// scan returns the findings of one level: vulnerable modules, packages or symbols.
func (s scanner) scan(ctx context.Context, level string) ([]finding, error) {
	argv := []string{"tool", "govulncheck", "-C", s.folder, "-db", s.database, "-scan", level, "-format", "json"}
	if level != "module" {
		argv = append(argv, s.program)
	}
	var out, said bytes.Buffer
	govulncheck := exec.CommandContext(ctx, "go", argv...)
	govulncheck.Stdout, govulncheck.Stderr = &out, &said
	if err := govulncheck.Run(); err != nil {
		return nil, fmt.Errorf("govulncheck: %w: %s", err, bytes.TrimSpace(said.Bytes()))
	}
	return decode(&out, level)
}

// decode keeps the findings of a level: govulncheck also tells those of coarser ones.
func decode(from io.Reader, level string) ([]finding, error) {
	var found []finding
	for decoder := json.NewDecoder(from); ; {
		var message struct{ Finding *finding }
		if err := decoder.Decode(&message); errors.Is(err, io.EOF) {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("what govulncheck printed is not understood: %w", err)
		}
		f := message.Finding
		if f == nil || len(f.Trace) == 0 {
			continue
		}
		if level == "symbol" && f.Trace[0].Function == "" || level == "package" && f.Trace[0].Package == "" {
			continue
		}
		found = append(found, *f)
	}
}

// divided are the findings in words, each vulnerability once: of modules, and of the
// standard library.
func divided(found []finding) (modules, standard []string) {
	for _, f := range found {
		at := f.Trace[0]
		if at.Module == standardLibrary {
			standard = append(standard, f.OSV)
			continue
		}
		fixed := "not fixed yet"
		if f.Fixed != "" {
			fixed = "fixed in " + f.Fixed
		}
		modules = append(modules, fmt.Sprintf("%s in %s@%s, %s: https://pkg.go.dev/vuln/%s", f.OSV, at.Module, at.Version, fixed, f.OSV))
	}
	slices.Sort(modules)
	slices.Sort(standard)
	return slices.Compact(modules), slices.Compact(standard)
}

// databaseCopy is the folder with the database's copy in the module cache, where the go
// command puts it.
func databaseCopy(ctx context.Context) (string, error) {
	out, err := exec.CommandContext(ctx, "go", "mod", "download", "-json", "golang.org/x/vulndb@"+copyVersion).Output()
	if err != nil {
		return "", err
	}
	var module struct{ Dir string }
	if err := json.Unmarshal(out, &module); err != nil {
		return "", err
	}
	return filepath.Join(module.Dir, "data", "osv"), nil
}
