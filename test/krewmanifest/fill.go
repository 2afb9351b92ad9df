package main

import (
	"errors"
	"fmt"
	"path"
	"strings"
	"text/template"
)

// checksums reads what sha256sum writes: the sums by the names of the files.
func checksums(text string) map[string]string {
	sums := map[string]string{}
	for line := range strings.Lines(text) {
		if sum, name, ok := strings.Cut(strings.TrimSpace(line), "  "); ok {
			sums[name] = sum
		}
	}
	return sums
}

// filledIn is the manifest of a release. The functions of the template are those of
// krew-release-bot (pkg/source/template.go of github.com/rajatjindal/krew-release-bot),
// which would fetch each archive from its address; here the sums are known. Platforms
// whose archive has no sum are left out.
func filledIn(text, tag string, sums map[string]string) (string, error) {
	const missing = "# no such archive"
	parsed, err := template.New("krew.yaml").Option("missingkey=error").Funcs(template.FuncMap{
		"addURIAndSha": func(address, tag string) (string, error) {
			var uri strings.Builder
			inner, err := template.New("address").Option("missingkey=error").Parse(address)
			if err == nil {
				err = inner.Execute(&uri, map[string]string{"TagName": tag})
			}
			if err != nil {
				return "", err
			}
			sum := sums[path.Base(uri.String())]
			if sum == "" {
				return missing, nil
			}
			return fmt.Sprintf("uri: %s\nsha256: %s", uri.String(), sum), nil
		},
		"indent": func(spaces int, text string) string {
			return strings.ReplaceAll(text, "\n", "\n"+strings.Repeat(" ", spaces))
		},
	}).Parse(text)
	if err != nil {
		return "", err
	}
	var out strings.Builder
	if err := parsed.Execute(&out, map[string]string{"TagName": tag}); err != nil {
		return "", err
	}
	const platform = "\n  - selector:"
	parts := strings.Split(out.String(), platform)
	manifest, found := parts[0], 0
	for _, part := range parts[1:] {
		if !strings.Contains(part, missing) {
			manifest += platform + part
			found++
		}
	}
	if found == 0 {
		return "", errors.New("none of the manifest's archives is there")
	}
	return strings.TrimRight(manifest, "\n") + "\n", nil
}
