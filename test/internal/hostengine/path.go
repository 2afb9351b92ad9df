package hostengine

import (
	"path/filepath"
	"slices"
)

// completePath adds the folders of administrators' programs, which a root shell
// may lack (su without -), and says whether there was anything to add.
func completePath(path string) (string, bool) {
	have := filepath.SplitList(path)
	added := false
	for _, dir := range []string{"/usr/local/sbin", "/usr/sbin", "/sbin"} {
		if !slices.Contains(have, dir) {
			have = append(have, dir)
			added = true
		}
	}
	if !added {
		return path, false
	}
	joined := have[0]
	for _, dir := range have[1:] {
		joined += string(filepath.ListSeparator) + dir
	}
	return joined, true
}
