package config

import (
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"strings"
	"text/template"
)

// TemplateValues are what templates can use.
type TemplateValues struct {
	Consumer, Name string
	// Random is 8 hex digits, drawn once; see NewRandom.
	Random string
	// User who runs the command.
	User string
	// GitCommit is the commit of the working tree; GitShort its first digits.
	GitCommit, GitShort string
	// Unix is the time in seconds.
	Unix int64
	// Arch is Go's name of the host's architecture.
	Arch string
	// Environment is what the function env looks up.
	Environment Environment
}

// HelmValues are what templates of chart values can use as well.
type HelmValues struct {
	TemplateValues
	Image, Repository, Tag, ImageID string
}

// maxRendered bounds what a template may yield.
const maxRendered = 4 << 10

// NewRandom returns 8 hex digits from the system's random numbers: a clock would
// repeat.
func NewRandom() (string, error) {
	var bytes [4]byte
	if _, err := rand.Read(bytes[:]); err != nil {
		return "", fmt.Errorf("random numbers: %w", err)
	}
	return hex.EncodeToString(bytes[:]), nil
}

var validTag = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$`)

// checkTag returns what is wrong with a tag, "" for nothing.
func checkTag(tag string) string {
	switch {
	case validTag.MatchString(tag):
		return ""
	case len(tag) > 128:
		return fmt.Sprintf("has %d characters; a tag has at most 128", len(tag))
	}
	return "a tag has letters, digits, _ . - and does not start with . or -"
}

// DrawTag renders a tag template and checks what comes out.
func DrawTag(text string, values TemplateValues) (string, error) {
	tag, err := render(text, values, values)
	if err != nil {
		return "", err
	}
	if wrong := checkTag(tag); wrong != "" {
		return "", fmt.Errorf("tag template %q yields %q: %s", text, tag, wrong)
	}
	return tag, nil
}

// HelmValue renders the template of a chart value.
func HelmValue(text string, values HelmValues) (string, error) {
	return render(text, values.TemplateValues, values)
}

// render executes a template; values are its fields, base those of them that
// may be missing.
func render(text string, base TemplateValues, values any) (string, error) {
	parsed, err := parseTemplate(text, base.Environment)
	if err != nil {
		return "", err
	}
	for field, value := range map[string]string{
		"GitCommit": base.GitCommit, "GitShort": base.GitShort, "User": base.User, "Consumer": base.Consumer, "Random": base.Random,
	} {
		if value == "" && regexp.MustCompile(`\.`+field+`\b`).MatchString(text) {
			return "", fmt.Errorf("template %q uses .%s, which is not known here%s", text, field, whyUnknown[field])
		}
	}
	out := &bounded{}
	if err := parsed.Execute(out, values); err != nil {
		return "", fmt.Errorf("template %q: %s", text, plain(err))
	}
	return out.String(), nil
}

// whyUnknown says where a value would come from.
var whyUnknown = map[string]string{
	"GitCommit": ": the working folder is in no Git repository with a commit",
	"GitShort":  ": the working folder is in no Git repository with a commit",
	"User":      ": the system does not tell who runs this",
	"Consumer":  ": say it with --consumer or in e2eimage.yaml",
}

func parseTemplate(text string, environment Environment) (*template.Template, error) {
	parsed, err := template.New("").Option("missingkey=error").Funcs(template.FuncMap{
		"env": func(key string) (string, error) {
			if environment != nil {
				if value, ok := environment(key); ok {
					return value, nil
				}
			}
			return "", fmt.Errorf("the environment variable %s is not set", key)
		},
	}).Parse(text)
	if err != nil {
		return nil, fmt.Errorf("template %q: %s", text, plain(err))
	}
	return parsed, nil
}

// plain takes the package's own prefix "template: :1:2: " off its errors.
func plain(err error) string {
	message := err.Error()
	if rest, ok := strings.CutPrefix(message, "template: "); ok {
		if _, after, found := strings.Cut(rest, ": "); found {
			return after
		}
	}
	return message
}

type bounded struct{ strings.Builder }

func (b *bounded) Write(p []byte) (int, error) {
	if b.Len()+len(p) > maxRendered {
		return 0, errors.New("yields too much text")
	}
	return b.Builder.Write(p)
}
