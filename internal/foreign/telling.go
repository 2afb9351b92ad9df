package foreign

import (
	"slices"
	"strings"
)

var (
	// words of a key: DB_PASS, dbPass, db.pass, X-Api-Key.
	wordEnd   = lazily(`([a-z0-9])([A-Z])|([A-Z])([A-Z][a-z])`)
	wordBreak = lazily(`[_.\-]+`)
	number    = lazily(`^\d+(?:[.,]\d+)?[a-zA-Z]{0,2}$`)
	base64    = lazily(`^[A-Za-z0-9+/]{12,}={0,2}$`)
	reference = lazily(`^(?:\$\{[\w:?=-]*\}?|\$[A-Z_][A-Z0-9_]*|\$\(.*|\{\{.*)$`)
)

// secretWords end a word that tells of a secret: password, dbpassword, accesstoken.
func secretWords() []string {
	return []string{
		"password", "passwords", "passwd", "passphrase", "passcode", "pwd", "secret", "secrets", "token", "tokens",
		"credential", "credentials",
		"apikey", "accesskey", "privatekey", "secretkey", "accountkey", "signingkey", "encryptionkey",
	}
}

// keyKinds make a secret of the word key or signature behind them.
func keyKinds() []string {
	return []string{"api", "access", "private", "secret", "account", "signing", "encryption", "master", "amz", "goog"}
}

// aboutIt are last words of keys that tell something about a secret, not the secret.
func aboutIt() []string {
	return []string{
		"file", "path", "dir", "name", "names", "namespace", "type", "kind", "url", "uri", "endpoint", "host", "ttl",
		"expiry", "expires", "expiration", "seconds",
		"timeout", "length", "len", "size", "count", "bucket", "limit", "policy", "class", "version", "ref", "mode",
		"enabled", "required", "optional", "valid",
		"error", "err", "reason", "status", "algorithm", "alg", "issuer", "audience", "audiences", "provider", "manager",
		"store", "mount", "volume", "template",
	}
}

func wordsOf(key string) []string {
	split := wordEnd().ReplaceAllString(key, "${1}${3}_${2}${4}")
	return slices.DeleteFunc(wordBreak().Split(strings.ToLower(split), -1), func(word string) bool { return word == "" })
}

// telling tells whether the value of a key is a secret by the key's name.
func telling(key string) bool {
	words := wordsOf(key)
	if len(words) == 0 || slices.Contains(aboutIt(), words[len(words)-1]) {
		return false
	}
	// Pods and services are called token-service-1: of such names the last word counts.
	named := !strings.HasPrefix(key, "-") && strings.Contains(key, "-")
	for i, word := range words {
		switch {
		case named && i < len(words)-1:
		case slices.ContainsFunc(secretWords(), func(suffix string) bool { return strings.HasSuffix(word, suffix) }),
			strings.HasSuffix(word, "pass") && !slices.Contains([]string{
				"bypass", "compass", "encompass", "surpass", "trespass",
				"overpass", "underpass",
			}, word),
			(word == "key" || word == "signature") && i > 0 && slices.Contains(keyKinds(), words[i-1]):
			return true
		}
	}
	return false
}

// isAuth is how engines and npm write user and password down.
func isAuth(key, value string) bool {
	words := wordsOf(key)
	return len(words) == 1 && words[0] == "auth" && base64().MatchString(strings.Trim(value, `\"'`))
}

// isNone tells whether a value says that there is none, counts secrets, only refers to
// one, or is how the API server goes on behind the name of a field.
func isNone(key, value string) bool {
	value = strings.Trim(value, `\"'`)
	switch strings.ToLower(value) {
	case "", "true", "false", "yes", "no", "null", "nil", "none", "<nil>", "<none>", "<masked>", "<redacted>", "redacted",
		masked:
		return true
	}
	words := wordsOf(key)
	counts := len(words) > 0 && strings.HasSuffix(words[len(words)-1], "s") && number().MatchString(value)
	return counts || strings.HasPrefix(value+" ", "expected ") || reference().MatchString(value)
}
