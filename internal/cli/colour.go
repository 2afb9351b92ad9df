package cli

import "github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"

// The colours are the terminal's own, which it has chosen for its background. All codes
// are of one length, so that columns stay columns.
const (
	red      = "\x1b[31m"
	green    = "\x1b[32m"
	yellow   = "\x1b[33m"
	ordinary = "\x1b[39m"
)

// colourOf is red where pods run or will run something else or nothing, yellow where
// something is still to be done, green where all is right.
func colourOf(state string) string {
	switch e2eimage.State(state) {
	case e2eimage.StateConsistent:
		return green
	case e2eimage.StateTampered, e2eimage.StateMissing, e2eimage.StateDrifted, e2eimage.StateFailed,
		e2eimage.StateNotRunning:
		return red
	case e2eimage.StateRolling, e2eimage.StateStale, e2eimage.StateUnfinished, e2eimage.StateOrphaned:
		return yellow
	}
	return ordinary
}
