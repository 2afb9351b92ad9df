package kindnode

import (
	"context"
	"fmt"
	"strings"
)

// TagOp adds one name to an image of a node.
type TagOp struct {
	ImageID string
	Target  string
	// Owner is the value of the containerd label e2eimage.dev/owner that the
	// name gets when this operation creates it.
	Owner string
}

// Tagged is what became of a TagOp on one node.
type Tagged struct {
	Target string
	// Added is false when the name was there already.
	Added bool
	// ImageID that the CRI now has under the name, "" when it has none.
	ImageID string
	// Owner label that the name carries, "" for none.
	Owner string
}

// Tag carries out the operations on the named nodes side by side, all of a node
// in one exec. Existing names are never overwritten; callers compare
// Tagged.ImageID with what they wanted. When ctx ends, the operations are
// waited for, not killed.
func (c *Cluster) Tag(ctx context.Context, nodes []string, ops []TagOp) (map[string][]Tagged, error) {
	args := make([]string, 0, 3*len(ops))
	for _, op := range ops {
		args = append(args, op.ImageID, op.Target, op.Owner)
	}
	return forEach(nodes, func(node string) ([]Tagged, error) {
		if err := ctx.Err(); err != nil {
			return nil, context.Cause(ctx)
		}
		out, err := settle(ctx, func(ctx context.Context) ([]byte, error) {
			return c.ask(ctx, node, "tag", args...)
		})
		if err != nil {
			return nil, err
		}
		return parseTagged(string(out))
	})
}

func parseTagged(out string) ([]Tagged, error) {
	var all []Tagged
	for line := range strings.Lines(out) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "\t")
		if len(fields) != 4 {
			return nil, fmt.Errorf("unexpected answer %q", line)
		}
		all = append(all, Tagged{Target: fields[0], Added: fields[1] == "added", ImageID: fields[2], Owner: fields[3]})
	}
	return all, nil
}
