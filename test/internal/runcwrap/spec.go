package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// forbidden is the capability that the machine does not have.
const forbidden = "CAP_SYS_RESOURCE"

// specs are the files in which this call of runc asks for capabilities: the
// bundle's configuration, or the process of an exec.
func specs(args []string) []string {
	var files []string
	if bundle, found := option(args, "--bundle", "-b"); found {
		files = append(files, filepath.Join(bundle, "config.json"))
	}
	if slices.Contains(args, "exec") {
		if process, found := option(args, "--process", "-p"); found {
			files = append(files, process)
		}
	}
	return files
}

// option finds the value of an option in all forms that runc takes.
func option(args []string, long, short string) (string, bool) {
	for i, arg := range args {
		if name, value, joined := strings.Cut(arg, "="); joined && (name == long || name == short) {
			return value, true
		}
		if (arg == long || arg == short) && i+1 < len(args) {
			return args[i+1], true
		}
	}
	return "", false
}

func rewrite(file string) error {
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		// runc says it better.
		return nil
	}
	if err != nil {
		return err
	}
	changed, err := without(text)
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	if bytes.Equal(changed, text) {
		return nil
	}
	info, err := os.Stat(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, changed, info.Mode().Perm())
}

// without takes the capability out of a runtime spec, or of the process part of
// one. Text that does not name it comes back as it is.
func without(text []byte) ([]byte, error) {
	if !bytes.Contains(text, []byte(forbidden)) {
		return text, nil
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	// Limits do not fit into a float64.
	decoder.UseNumber()
	var spec map[string]any
	if err := decoder.Decode(&spec); err != nil {
		return nil, err
	}
	process := spec
	if inner, found := spec["process"].(map[string]any); found {
		process = inner
	}
	sets, _ := process["capabilities"].(map[string]any)
	for name, set := range sets {
		list, _ := set.([]any)
		sets[name] = slices.DeleteFunc(list, func(c any) bool { return c == forbidden })
	}
	return json.Marshal(spec)
}
