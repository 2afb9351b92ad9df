package page

import (
	"errors"
	"fmt"
	"strings"
)

// Command is one of a console block, with what the page shows below it.
type Command struct {
	Line  int
	Shown []string
}

// Script is what runs a page's blocks, one after the other in one shell. Each command is
// on the line that it has in the page, so that bash's messages have the page's lines.
type Script struct {
	Text string
	// Commands are those whose output is compared.
	Commands []Command
}

// Script puts all that is run into one script. It needs the functions of Prelude.
func (p *Page) Script() (Script, error) {
	w := &writer{}
	var s Script
	var wrong []error
	for _, b := range p.Blocks {
		if b.NotRun != "" {
			continue
		}
		var err error
		switch {
		case b.File != "":
			w.at(b.Line-1, "mkdir -p "+quote(folder(b.File))+" && cat >"+quote(b.File)+" <<'end of the block'")
			w.text(b.Line, b.Text)
			w.line("end of the block")
		case b.Language == "sh":
			if b.Exit != 0 {
				w.at(b.Line-1, fmt.Sprintf("docs_want %d", b.Exit))
			}
			b.Text, err = guard(b.Text, p.Path)
			w.text(b.Line, b.Text)
			if b.Exit != 0 {
				w.line("docs_got $?")
			}
		case b.Language == "console":
			var commands []Command
			commands, err = w.console(b)
			s.Commands = append(s.Commands, commands...)
		}
		if err != nil {
			wrong = append(wrong, fmt.Errorf("the block at %s:%d: %w", p.Path, b.Line, err))
		}
	}
	s.Text = w.b.String()
	return s, errors.Join(wrong...)
}

// writer keeps count of the line that comes next.
type writer struct {
	b    strings.Builder
	last int
}

// at writes a line at a line of the page, or at the next one where that is past.
func (w *writer) at(number int, text string) {
	for w.last < number-1 {
		w.line("")
	}
	w.line(text)
}

func (w *writer) line(text string) {
	w.b.WriteString(text + "\n")
	w.last++
}

func (w *writer) text(number int, text string) {
	lines := strings.Split(strings.TrimSuffix(text, "\n"), "\n")
	w.at(number, lines[0])
	for _, line := range lines[1:] {
		w.line(line)
	}
}

// console writes the commands of a block, each with its output in files named after its
// line.
func (w *writer) console(b Block) ([]Command, error) {
	if b.Exit != 0 {
		w.at(b.Line-1, fmt.Sprintf("docs_want %d", b.Exit))
	}
	var commands []Command
	closing := ""
	for _, typed := range b.typed() {
		text, err := guard(typed.text, "the command")
		if err != nil {
			return nil, err
		}
		w.text(typed.line, closing+"{ "+text)
		closing = fmt.Sprintf(`} >"$DOCS_OUT/%d.out" 2>"$DOCS_OUT/%[1]d.err"; `, typed.line)
		commands = append(commands, Command{Line: typed.line, Shown: typed.shown})
	}
	if closing != "" {
		w.line(strings.TrimSuffix(closing, "; "))
	}
	if b.Exit != 0 {
		w.line("docs_got $?")
	}
	return commands, nil
}

func folder(file string) string {
	if at := strings.LastIndex(file, "/"); at >= 0 {
		return file[:at]
	}
	return "."
}

func quote(word string) string { return "'" + strings.ReplaceAll(word, "'", `'\''`) + "'" }

// Prelude is run by the shell before the script, as its BASH_ENV. It traces commands with
// their lines into descriptor 3, and tells there which one failed.
const Prelude = `unset BASH_ENV
docs_exit=0
docs_want() { docs_exit=$1; set +e; }
docs_got() {
  [ "$1" = "$docs_exit" ] || { echo "failed $((BASH_LINENO[0] - 1)): ended with $1, the page says $docs_exit" >&3; exit 1; }
  docs_exit=0
  set -e
}
docs_failed() {
  [ "$1" = "$docs_exit" ] || { echo "failed $2: ended with $1" >&3; exit 1; }
  return "$1"
}
trap 'docs_failed $? $LINENO' ERR
PS4='+ $LINENO: '
BASH_XTRACEFD=3
set -x
`
