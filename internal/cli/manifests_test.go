package cli

import (
	"strings"
	"testing"
)

func TestKustomizationsAreNotQuoted(t *testing.T) {
	t.Parallel()
	const secret = "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"
	for name, test := range map[string]struct{ kustomization, says string }{
		"a patch that cannot be read": {"resources: [s.yaml]\npatches:\n- patch: |\n    kind: Secret\n    stringData: {user: hunter2\n", "unable to parse SM or JSON patch"},
		"a patch without a name":      {"resources: [s.yaml]\npatches:\n- patch: |\n    kind: Secret\n    stringData: {user: hunter2}\n", "PatchTransformer"},
		"a literal without a key":     {"secretGenerator:\n- {name: x, literals: [hunter2]}\n", "expected key=value"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newConsole(t)
			c.write("k/kustomization.yaml", test.kustomization)
			c.write("k/s.yaml", secret+"stringData: {user: hunter2}\n")
			if code := c.run("render a -k k"); code != exitFailed || !strings.Contains(c.errOut.String(), test.says) || strings.Contains(c.errOut.String(), "hunter2") {
				t.Errorf("exit %d: %s", code, c.errOut.String())
			}
		})
	}
}
