// Package page reads a page of the documentation: its blocks, what the page wants done
// with each, its links and its anchors. It runs nothing.
package page

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/yuin/goldmark"
	"github.com/yuin/goldmark/ast"
	"github.com/yuin/goldmark/extension"
	"github.com/yuin/goldmark/parser"
	"github.com/yuin/goldmark/text"
)

// Page is README.md or a page of docs.
type Page struct {
	// Path is relative to the repository.
	Path   string
	Blocks []Block
	Links  []Link
	// Anchors are the headings, as links name them.
	Anchors map[string]bool
}

// Link is one that is not on the web.
type Link struct {
	Line int
	// To is as it is written.
	To string
}

// Read reads a page of the repository at root.
func Read(root, path string) (*Page, error) {
	source, err := os.ReadFile(filepath.Join(root, path))
	if err != nil {
		return nil, err
	}
	return parse(path, source)
}

func parse(path string, source []byte) (*Page, error) {
	p := &Page{Path: path, Anchors: map[string]bool{}}
	markdown := goldmark.New(goldmark.WithExtensions(extension.GFM), goldmark.WithParserOptions(parser.WithAutoHeadingID()))
	document := markdown.Parser().Parse(text.NewReader(source))
	var wish wish
	err := ast.Walk(document, func(node ast.Node, entering bool) (ast.WalkStatus, error) {
		if !entering {
			return ast.WalkContinue, nil
		}
		switch node := node.(type) {
		case *ast.HTMLBlock:
			err := wish.read(htmlOf(node, source), lineOf(node, source))
			if err != nil {
				return ast.WalkStop, fmt.Errorf("%s:%d: %w", path, lineOf(node, source), err)
			}
			if wish.before != "" {
				p.Blocks = append(p.Blocks, Block{Line: lineOf(node, source), Language: "sh", Text: wish.before, Hidden: true})
				wish.before = ""
			}
		case *ast.FencedCodeBlock, *ast.CodeBlock:
			block, err := newBlock(node, source, wish)
			if err != nil {
				return ast.WalkStop, fmt.Errorf("%s:%d: %w", path, lineOf(node, source), err)
			}
			p.Blocks, wish = append(p.Blocks, block), wish.used()
		case *ast.Heading:
			if id, ok := node.AttributeString("id"); ok {
				p.Anchors[string(id.([]byte))] = true
			}
		case *ast.Link:
			p.link(string(node.Destination), lineAround(node, source))
		case *ast.Image:
			p.link(string(node.Destination), lineAround(node, source))
		case *ast.RawHTML:
			p.htmlLinks(segments(node.Segments, source), lineAround(node, source))
		}
		if html, ok := node.(*ast.HTMLBlock); ok {
			p.htmlLinks(htmlOf(html, source), lineOf(html, source))
		}
		return ast.WalkContinue, nil
	})
	if err == nil && wish.any() {
		err = fmt.Errorf("%s: a docs-test comment has no block behind it", path)
	}
	return p, err
}

func (p *Page) link(to string, line int) {
	if strings.Contains(to, "://") || strings.HasPrefix(to, "mailto:") {
		return
	}
	p.Links = append(p.Links, Link{Line: line, To: to})
}

// lineOf is the line on which a block's text begins.
func lineOf(node ast.Node, source []byte) int {
	if lines := node.Lines(); lines.Len() > 0 {
		return lineAt(source, lines.At(0).Start)
	}
	return 0
}

// lineAround is the line of the block that something stands in.
func lineAround(node ast.Node, source []byte) int {
	for ; node != nil; node = node.Parent() {
		if node.Type() == ast.TypeBlock && node.Lines() != nil && node.Lines().Len() > 0 {
			return lineOf(node, source)
		}
	}
	return 0
}

func lineAt(source []byte, offset int) int { return bytes.Count(source[:offset], []byte("\n")) + 1 }

func segments(parts *text.Segments, source []byte) string {
	var b strings.Builder
	for i := range parts.Len() {
		part := parts.At(i)
		b.Write(part.Value(source))
	}
	return b.String()
}

func htmlOf(node *ast.HTMLBlock, source []byte) string {
	html := segments(node.Lines(), source)
	if node.HasClosure() {
		html += string(node.ClosureLine.Value(source))
	}
	return html
}
