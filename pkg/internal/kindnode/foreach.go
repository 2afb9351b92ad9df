package kindnode

import (
	"fmt"
	"maps"
	"slices"
	"sync"
)

// NodeErrors are the nodes on which an operation failed.
type NodeErrors map[string]error

func (e NodeErrors) Error() string {
	message := ""
	for i, node := range sortedKeys(e) {
		if i > 0 {
			message += "\n"
		}
		message += fmt.Sprintf("node %s: %v", node, e[node])
	}
	return message
}

// Unwrap returns the errors of the nodes, by node name.
func (e NodeErrors) Unwrap() []error {
	all := make([]error, 0, len(e))
	for _, node := range sortedKeys(e) {
		all = append(all, e[node])
	}
	return all
}

// forEach runs do for the named nodes side by side, waits for all of them and
// returns their results by node name, also of those that failed half-way, with a
// NodeErrors if any did.
func forEach[T any](nodes []string, do func(node string) (T, error)) (map[string]T, error) {
	results := make(map[string]T, len(nodes))
	failures := NodeErrors{}
	var mu sync.Mutex
	var all sync.WaitGroup
	for _, node := range nodes {
		all.Go(func() {
			result, err := do(node)
			mu.Lock()
			defer mu.Unlock()
			results[node] = result
			if err != nil {
				failures[node] = err
			}
		})
	}
	all.Wait()
	if len(failures) > 0 {
		return results, failures
	}
	return results, nil
}

func sortedKeys[V any](m map[string]V) []string { return slices.Sorted(maps.Keys(m)) }
