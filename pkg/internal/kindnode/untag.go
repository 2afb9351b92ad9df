package kindnode

import (
	"context"
	"fmt"
	"strings"
)

// UntagOp takes one name away, if it carries the owner label.
type UntagOp struct {
	Name  string
	Owner string
}

// Untagged is what became of an UntagOp on one node.
type Untagged struct {
	Name string
	// Removed is false when the name was absent or is not the owner's.
	Removed bool
	ImageID string
	// Freed tells that the image went too, since nothing named or ran it.
	Freed bool
}

// Untag takes names away on the named nodes side by side, all of a node in one
// exec. Names without the owner's label are left alone.
func (c *Cluster) Untag(ctx context.Context, nodes []string, ops []UntagOp) (map[string][]Untagged, error) {
	args := make([]string, 0, 2*len(ops))
	for _, op := range ops {
		args = append(args, op.Owner, op.Name)
	}
	return forEach(nodes, func(node string) ([]Untagged, error) {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		out, err := settle(ctx, func(ctx context.Context) ([]byte, error) {
			return c.ask(ctx, node, "untag", args...)
		})
		if err != nil {
			return nil, err
		}
		return parseUntagged(string(out))
	})
}

func parseUntagged(out string) ([]Untagged, error) {
	var all []Untagged
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			return nil, fmt.Errorf("unexpected answer %q", line)
		}
		all = append(all, Untagged{Name: fields[0], Removed: fields[1] == "removed", ImageID: fields[2], Freed: fields[3] == "freed"})
	}
	return all, nil
}
