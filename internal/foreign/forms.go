package foreign

import (
	"regexp"
	"slices"
	"strings"
	"sync"
)

// shapes are tokens that tell what they are: how they begin, and what follows.
func shapes() [][2]string {
	return [][2]string{
		{"AKIA", `[A-Z0-9]{16}\b`},
		{"ASIA", `[A-Z0-9]{16}\b`},
		{"AROA", `[A-Z0-9]{16}\b`},
		{"AIDA", `[A-Z0-9]{16}\b`}, // AWS
		{"ghp_", `[A-Za-z0-9]{16,}`},
		{"gho_", `[A-Za-z0-9]{16,}`},
		{"ghu_", `[A-Za-z0-9]{16,}`},
		{"ghs_", `[A-Za-z0-9]{16,}`},
		{"ghr_", `[A-Za-z0-9]{16,}`},
		{"github_pat_", `[A-Za-z0-9_]{20,}`},
		{"glpat-", `[A-Za-z0-9_.-]{16,}`},
		{"glrt-", `[A-Za-z0-9_.-]{16,}`},
		{"gldt-", `[A-Za-z0-9_.-]{16,}`},
		{"glcbt-", `[A-Za-z0-9_.-]{16,}`},
		{"glptt-", `[A-Za-z0-9_.-]{16,}`}, // GitLab
		{"xox", `[a-z]-[A-Za-z0-9-]{10,}`},
		{"xapp-", `[A-Za-z0-9-]{10,}`}, // Slack
		{"sk_live_", `[A-Za-z0-9]{10,}`},
		{"sk_test_", `[A-Za-z0-9]{10,}`},
		{"rk_live_", `[A-Za-z0-9]{10,}`},
		{"rk_test_", `[A-Za-z0-9]{10,}`},
		{"whsec_", `[A-Za-z0-9]{16,}`}, // Stripe
		{"AIza", `[A-Za-z0-9_-]{30,}`},
		{"ya29.", `[A-Za-z0-9_-]{20,}`},
		{"GOCSPX-", `[A-Za-z0-9_-]{20,}`}, // Google
		{"npm_", `[A-Za-z0-9]{30,}`},
		{"pypi-", `[A-Za-z0-9_-]{30,}`},
		{"dckr_pat_", `[A-Za-z0-9_-]{20,}`},
		{"hvs.", `[A-Za-z0-9_-]{20,}`},
		{"hvb.", `[A-Za-z0-9_-]{20,}`}, // Vault
		{"SG.", `[A-Za-z0-9_-]{16,}\.[A-Za-z0-9_-]{16,}`},
		{"hf_", `[A-Za-z0-9]{30,}`},
		{"dop_v1_", `[0-9a-f]{64}\b`},
		{"shpat_", `[0-9a-fA-F]{32}\b`},
		{"sk-", `[A-Za-z0-9_-]{20,}`},
		{"eyJ", `[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]{5,}\.[A-Za-z0-9_-]*(?:\.[A-Za-z0-9_-]*){0,2}`}, // JWT, JWE
		{"LS0tLS1CRUdJTi", `[A-Za-z0-9+/=]{16,}`},                                                // PEM in base64
		{"hooks.slack.com/services/", `[A-Za-z0-9/]+`},
	}
}

func shapeForm() form {
	shape := form{with: func([]string) string { return masked }}
	var all []string
	for _, one := range shapes() {
		shape.hints = append(shape.hints, strings.ToLower(one[0]))
		all = append(all, regexp.QuoteMeta(one[0])+one[1])
	}
	shape.pattern = regexp.MustCompile(`\b(?:` + strings.Join(all, "|") + `)`)
	return shape
}

// A value in quotes, also in those of JSON inside JSON, and one without.
const (
	quoted = `\\\\\\+"[^"]*?\\\\\\+"|\\"(?:\\\\\\"|[^\\"]|\\[^"])*\\"|"(?:[^"\\]|\\.)*"|'(?:[^'\\]|''|\\.)*'|\\?["'][^\n]*$`
	bare   = `(?:[^\s"',;&}\])({\[\\]|\\[^"])(?:[^\s"',;&}\])\\]|,[^\s"',;&}\])\\]|\\[^"])*`
)

// key has a word that may tell of a secret. A colon counts only right behind it:
// `volume "db-secret" : secret "db" not found` has no secret in it.
const key = `[\w.-]*(?i:pass|pwd|secret|token|key|credential|auth|signature)[\w.-]*`

// Headers with credentials.
const (
	header = `(?:proxy-)?authorization|(?:set-)?cookie2?`
	scheme = `(?:(?:basic|bearer|digest|token|negotiate|ntlm|apikey|oauth|hawk|signature|aws4-hmac-sha256)\s+)?`
)

var (
	schemeOf = lazily(`(?i)^(?:\\?["'])?` + scheme)
	keyed    = lazily(`(` + key + `)(\\*["']?(?:\s*:?=>?\s*|:\s*))(` + quoted + `|` + bare + `)`)
	nameOf   = lazily(`^\s*(?:-\s+)?["']?name["']?:\s*["']?([\w.-]+)["']?,?\s*$`)
	valueOf  = lazily(`^(\s*["']?value["']?:\s*)(.+)$`)
	// A flag and its value as elements of a list in YAML or JSON.
	flagOf    = lazily(`^\s*(?:-\s+["']?|["'])(--?` + key + `)["']?,?\s*$`)
	elementOf = lazily(`^(\s*(?:-\s+)?)(["']?[^\s"'-].*?)(,?\s*)$`)
	yamlBlock = lazily(`^\s*(-\s+)?["']?([\w.-]+)["']?:\s*[|>][+-]?\d*\s*$`)
)

// form is what a secret stands in.
type form struct {
	// hints: one of them, in lowercase letters, is in every match. Most lines have none.
	hints   []string
	pattern *regexp.Regexp
	// with makes the text that takes the place of a match, of its parts.
	with func(part []string) string
}

// forms in their order. They are put together when the first text is masked, which most
// commands never do.
var forms = sync.OnceValue(func() []form {
	return []form{
		{[]string{"private key-"}, wholeKey(), func(part []string) string { return part[1] + masked + part[2] }},
		{[]string{"private key-"}, begunKey(), func(part []string) string { return part[1] + masked }},
		shapeForm(),
		{[]string{"authorization", "cookie"}, regexp.MustCompile(`(?i)(["'](?:` + header +
			`):\s*)((?:\\.|[^"'\\\n])+)(["'])`), func(part []string) string {
			return part[1] + credentials(part[2]) + part[3]
		}},
		{[]string{"authorization", "cookie"}, regexp.MustCompile(`(?i)(\b(?:` + header + `)\\?["']?\s*[:=]\s*\[?\s*)(` +
			quoted + `)`), func(part []string) string {
			return part[1] + credentials(part[2]) + closing(part[2])
		}},
		{[]string{"authorization", "cookie"}, regexp.MustCompile(`(?i)(\b(?:` + header +
			`)\s*[:=]\s*\[?)([^\s"'\[][^\n\]]*)`), func(part []string) string {
			if strings.HasPrefix(part[2][len(schemeOf().FindString(part[2])):], masked) {
				return part[0]
			}
			return part[1] + credentials(part[2])
		}},
		{
			[]string{"bearer", "basic"},
			regexp.MustCompile(`(?i)\b((?:bearer|basic)\s+)([A-Za-z0-9._~+/=-]{8,})`),
			func(part []string) string {
				// Not "basic authentication".
				if len(part[2]) < 20 && !strings.ContainsAny(part[2], "0123456789=._/+") {
					return part[0]
				}
				return part[1] + masked
			},
		},
		// Addresses. An image's digest stands behind an @, too, but then there is no user.
		{[]string{"://"}, regexp.MustCompile(`([a-zA-Z][a-zA-Z0-9+.-]*://[^\s:/@"']*:)[^\s/"']+@`), func(part []string) string {
			return part[1] + masked + "@"
		}},
		{[]string{"://"}, regexp.MustCompile(`(?i)(https?://)[^\s:/@"']{8,}@`), func(part []string) string {
			return part[1] + masked + "@"
		}},
		{[]string{"@"}, regexp.MustCompile(`([\w.%-]*:)[^\s"']+(@[a-z0-9+]+\()`), func(part []string) string {
			return part[1] + masked + part[2]
		}},
		{[]string{"curl"}, regexp.MustCompile(`(\bcurl\b.*?\s(?:-u|--user)[\s=]+["']?[^\s:"']+:)[^\s"']+`), func(part []string) string {
			return part[1] + masked
		}},
		{[]string{"sig="}, regexp.MustCompile(`([?&]sig=)[^&\s"']+`), func(part []string) string { return part[1] + masked }},
		// How the API server quotes a value of the wrong type.
		{[]string{": expected "}, regexp.MustCompile(`(: expected \w+, got )&.*`), func(part []string) string {
			return part[1] + masked
		}},
		// What is behind keys.
		{[]string{"value"}, regexp.MustCompile(`(?i)(\bname\\?["']?\s*[:=]\s*\\?["']?)([\w.-]+)(\\?["']?\s*,\s*\\?["']?value\\?["']?\s*[:=]\s*)(` + quoted + `|` + bare + `)`), func(part []string) string {
			return part[1] + part[2] + part[3] + valueFor(part[2], part[4])
		}},
		{stems(), regexp.MustCompile(`^(\s*(?:-\s+)?)(` + key + `)(:\s+)([^\s"'|>{\[&*].*)$`), lineOfKey},
		{stems(), regexp.MustCompile(`^(\s*(?:export\s+)?)(` + key + `)(=)([^\s"']\S*)`), lineOfKey},
		{stems(), regexp.MustCompile(`(?i)()\b([\w.-]*(?:password|passwd|passphrase|api[-_]?key|private[-_]?key|access[-_]?key))(\s+)(` + quoted + `)`), ifTelling},
		{stems(), regexp.MustCompile(`()(--?` + key + `)(\s+)([^\s-]\S*)`), ifTelling},
		{stems(), keyed(), func(part []string) string { return maskKeyed(part[0]) }},
	}
})

// stems are in all keys.
func stems() []string {
	return []string{"pass", "pwd", "secret", "token", "key", "credential", "auth", "signature"}
}

func maskedLine(line string) string {
	small := strings.ToLower(line)
	for _, form := range forms() {
		if slices.ContainsFunc(form.hints, func(hint string) bool { return strings.Contains(small, hint) }) {
			line = replace(form.pattern, line, form.with)
		}
	}
	return line
}

// ifTelling hides the value of a key, if the key tells that it is a secret.
func ifTelling(part []string) string {
	if !telling(part[2]) {
		return part[0]
	}
	return part[1] + part[2] + part[3] + valueFor(part[2], part[4])
}

// lineOfKey is for a key with the rest of its line.
func lineOfKey(part []string) string {
	if keyed().MatchString(part[4]) {
		return part[0]
	}
	return ifTelling(part)
}
