package buildtree

import (
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

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
