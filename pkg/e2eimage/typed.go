package e2eimage

import (
	"fmt"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// typed is a command about an image, as a user who works on this suite has to type
// it.
func typed(verb, name string, suite config.Suite) string {
	line := []string{"kubectl e2eimage", verb, name}
	for _, flag := range [][2]string{{"-n", suite.Namespace}, {"--consumer", suite.Consumer}, {"--lock", suite.Lock}} {
		if flag[1] != "" {
			line = append(line, flag[0], flag[1])
		}
	}
	return strings.Join(line, " ")
}

// typedFor is typed where the record's place is known.
func typedFor(verb, name, namespace, consumer string) string {
	return fmt.Sprintf("kubectl e2eimage %s %s -n %s --consumer %s", verb, name, namespace, consumer)
}
