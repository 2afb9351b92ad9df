package page

import "regexp"

// reference is what a tag of HTML points to: pages have a picture in two colours by it.
var reference = regexp.MustCompile(`\b(?:href|src|srcset)="([^"]+)"`)

func (p *Page) htmlLinks(html string, line int) {
	for _, found := range reference.FindAllStringSubmatch(html, -1) {
		p.link(found[1], line)
	}
}
