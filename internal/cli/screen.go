package cli

import (
	"io"
	"os"

	"golang.org/x/term"
)

// screen is what results are written to.
type screen struct {
	// width in columns; 0 for a pipe or a file, where nothing is ever shortened.
	width int
	// coloured is set on a terminal that has colours, unless the user does not want any.
	coloured bool
}

// screenOf looks at what stdout is.
func screenOf(out io.Writer) screen {
	file, ok := out.(*os.File)
	if !ok || !term.IsTerminal(int(file.Fd())) {
		return screen{}
	}
	width, _, err := term.GetSize(int(file.Fd()))
	if err != nil {
		width = 0
	}
	return screen{width: width, coloured: true}
}

// stdout is the screen that results go to, in the colours that the user wants.
func (a *app) stdout() screen { return a.wanted(a.host.Streams.Out) }

// stderr is the one that errors go to.
func (a *app) stderr() screen { return a.wanted(a.host.Streams.ErrOut) }

func (a *app) wanted(out io.Writer) screen {
	shown := a.screen(out)
	noColor, _ := a.host.Environment("NO_COLOR")
	kind, _ := a.host.Environment("TERM")
	shown.coloured = shown.coloured && noColor == "" && kind != "dumb"
	return shown
}
