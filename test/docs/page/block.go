package page

import (
	"errors"
	"fmt"
	"regexp"
	"strings"

	"github.com/yuin/goldmark/ast"
)

// Block is a fenced block, or commands that a comment hides.
type Block struct {
	// Line is that of its first line of text.
	Line     int
	Language string
	Text     string
	// NotRun is the page's reason for not running it.
	NotRun string
	// Exit is what its last command ends with.
	Exit int
	// File is the path of the file that it becomes.
	File string
	// Hidden commands are run, and not shown.
	Hidden bool
}

// Runs tells whether the block's commands are run.
func (b Block) Runs() bool { return b.NotRun == "" && (b.Language == "sh" || b.Language == "console") }

// wish is what comments want of the block behind them.
type wish struct {
	notRun, before string
	exit           int
}

func (w wish) any() bool { return w.notRun != "" || w.exit != 0 }

// used is what is left when a block has got its wish.
func (w wish) used() wish { return wish{} }

var comment = regexp.MustCompile(`(?s)<!--\s*docs-test:\s*(.*?)\s*-->`)

// read takes what a comment says; other HTML says nothing. The line is where the comment
// begins, and commands in it keep their lines.
func (w *wish) read(html string, _ int) error {
	for _, found := range comment.FindAllStringSubmatch(html, -1) {
		said := found[1]
		if reason, ok := strings.CutPrefix(said, "not run:"); ok && strings.TrimSpace(reason) != "" {
			w.notRun = strings.TrimSpace(reason)
		} else if commands, ok := strings.CutPrefix(said, "before\n"); ok {
			w.before = "\n" + commands + "\n"
		} else if _, err := fmt.Sscanf(said, "exit %d", &w.exit); err != nil {
			return fmt.Errorf("docs-test comment %q: want 'not run: REASON', 'exit N', or 'before' and commands on the next lines", said)
		}
	}
	return nil
}

// languages that a block may have, and whether such a block can become a file.
var languages = map[string]bool{
	"sh": false, "console": false, "text": false, "yaml": true, "make": true, "dockerfile": true, "go": true, "json": true,
	"python": true, "mermaid": false, "diff": false,
}

func newBlock(node ast.Node, source []byte, wish wish) (Block, error) {
	fenced, ok := node.(*ast.FencedCodeBlock)
	if !ok {
		return Block{}, errors.New("a block that is only indented: put it between ``` and say what it is")
	}
	b := Block{Line: lineOf(node, source), Language: string(fenced.Language(source)), Text: segments(node.Lines(), source), NotRun: wish.notRun, Exit: wish.exit}
	isFile, known := languages[b.Language]
	if !known {
		return b, fmt.Errorf("a block of language %q: sh and console are run, text is not", b.Language)
	}
	if isFile {
		b.File = fileOf(b.Text)
	}
	if wish.any() && !isFile && b.Language != "sh" && b.Language != "console" {
		return b, fmt.Errorf("a docs-test comment before a block of %s, which is never run", b.Language)
	}
	return b, nil
}

// path is a first line that only names a file.
var path = regexp.MustCompile(`^(?:#|//) ([A-Za-z0-9_./-]+)\n`)

// names are of files that have no ending.
var names = regexp.MustCompile(`(^|/)(Makefile|Dockerfile|[^/]+\.[a-z]+)$`)

func fileOf(text string) string {
	if found := path.FindStringSubmatch(text); found != nil && names.MatchString(found[1]) {
		return found[1]
	}
	return ""
}

// Commands are what a block has to be typed: those behind $ of a console block, else all.
func (b Block) Commands() string {
	if b.Language != "console" {
		return b.Text
	}
	var all strings.Builder
	for _, typed := range b.typed() {
		all.WriteString(typed.text + "\n")
	}
	return all.String()
}

// typed is a command of a console block, of one line or several, and what is shown below.
type typed struct {
	line  int
	text  string
	shown []string
}

func (b Block) typed() []typed {
	var all []typed
	continued := false
	for i, line := range strings.Split(strings.TrimSuffix(b.Text, "\n"), "\n") {
		command, begins := strings.CutPrefix(line, "$ ")
		switch {
		case continued:
			line = strings.TrimPrefix(line, "> ")
			all[len(all)-1].text += "\n" + line
			continued = strings.HasSuffix(line, `\`)
		case begins:
			all = append(all, typed{line: b.Line + i, text: command})
			continued = strings.HasSuffix(command, `\`)
		case len(all) > 0:
			all[len(all)-1].shown = append(all[len(all)-1].shown, line)
		}
	}
	return all
}
