package foreign

import (
	"strings"
	"testing"
)

// made is a token that no scanner of repositories takes for a real one.
func made(prefix, of string, length int) string {
	return prefix + strings.Repeat(of, length/len(of)+1)[:length]
}

func TestMasked(t *testing.T) {
	t.Parallel()
	jwt := "eyJhbGciOiJIUzI1NiJ9." + made("eyJ", "zdWI", 20) + "." + made("", "x9_-", 30)
	key := "-----BEGIN RSA PRIVATE " + "KEY-----"
	end := "-----END RSA PRIVATE " + "KEY-----"
	body := made("", "MIIEow0+/", 64)
	for name, test := range map[string]struct{ text, want string }{
		"a key and its value":           {"connect user=app password=hunter2 db=x", "connect user=app password=*** db=x"},
		"a variable":                    {"DB_PASSWORD=hunter2", "DB_PASSWORD=***"},
		"a variable that is cut short":  {"DB_PASS: hunter2", "DB_PASS: ***"},
		"PASS without a break":          {"PGPASS=hunter2", "PGPASS=***"},
		"pass in camel case":            {`{"dbPass":"hunter2"}`, `{"dbPass":"***"}`},
		"passwd, pwd, passphrase":       {"passwd=hunter2 pwd=hunter2 ssh.passphrase=hunter2", "passwd=*** pwd=*** ssh.passphrase=***"},
		"yaml":                          {"apiKey: hunter2", "apiKey: ***"},
		"yaml with spaces":              {"  password: hunter2 and more", "  password: ***"},
		"a list in yaml":                {"- token: hunter2", "- token: ***"},
		"yaml in quotes":                {"password: 'it''s hunter2' # x", "password: '***' # x"},
		"yaml in braces":                {"{user: a, client_secret: hunter2, b: c}", "{user: a, client_secret: ***, b: c}"},
		"json":                          {`{"token":"hunter2","n":1}`, `{"token":"***","n":1}`},
		"json with escaped quotes":      {`{"token":"hun\"ter2 \\","n":1}`, `{"token":"***","n":1}`},
		"json inside json":              {`{"msg":"{\"secret\":\"hunter2\",\"n\":1}"}`, `{"msg":"{\"secret\":\"***\",\"n\":1}"}`},
		"json inside json with quotes":  {`{"msg":"{\"password\":\"hunter2 and \\\"more\\\"\",\"n\":1}"}`, `{"msg":"{\"password\":\"***\",\"n\":1}"}`},
		"json inside json inside json":  {`body="{\"a\":\"{\\\"password\\\":\\\"hunter2 x\\\",\\\"n\\\":1}\"}"`, `body="{\"a\":\"{\\\"password\\\":\\\"***\\\",\\\"n\\\":1}\"}"`},
		"json in a message":             {`error: {"apiKey": "hunter2"}`, `error: {"apiKey": "***"}`},
		"a number":                      {`{"password":12345}`, `{"password":***}`},
		"a quoted value with spaces":    {`password="hunter2 and more" x`, `password="***" x`},
		"a quoted value that was cut":   {`password="hunter2 and mo`, `password="***`},
		"a value with a comma":          {"db password=hunter2,hunter2 x", "db password=*** x"},
		"a connection string":           {"Server=db;User Id=a;Password=hunter2;Database=x", "Server=db;User Id=a;Password=***;Database=x"},
		"an account key":                {"AccountName=a;AccountKey=hunter2==;x=y", "AccountName=a;AccountKey=***;x=y"},
		"a query":                       {"GET /x?access_token=hunter2&page=2", "GET /x?access_token=***&page=2"},
		"a signed address":              {"GET /x?a=b&sig=hunter2%3D&c=d", "GET /x?a=b&sig=***&c=d"},
		"a key inside a message":        {"msg: token=hunter2", "msg: token=***"},
		"a key and a quote":             {`apikey "hunter2"`, `apikey "***"`},
		"an api_key and a quote":        {`using api_key 'hunter2 x' now`, `using api_key '***' now`},
		"assignments of languages":      {`api_key := "hunter2"; 'password' => 'hunter2'`, `api_key := "***"; 'password' => '***'`},
		"a Go map":                      {"map[password:hunter2 user:a]", "map[password:*** user:a]"},
		"a flag":                        {"run --db-password hunter2 --v 3", "run --db-password *** --v 3"},
		"a flag with =":                 {"run --token=hunter2 --v 3", "run --token=*** --v 3"},
		"a flag of several words":       {"vault write -secret-id=hunter2 -x", "vault write -secret-id=*** -x"},
		"flags in json":                 {`["--api-key=hunter2","--v"]`, `["--api-key=***","--v"]`},
		"curl's user":                   {"curl -fsS -u app:hunter2 https://x", "curl -fsS -u app:*** https://x"},
		"a variable of a pod in json":   {`{"name":"DB_PASSWORD","value":"hunter2"}`, `{"name":"DB_PASSWORD","value":"***"}`},
		"a variable of a pod in Go":     {`core.EnvVar{Name:"DB_PASSWORD", Value:"hunter2", ValueFrom:nil}`, `core.EnvVar{Name:"DB_PASSWORD", Value:"***", ValueFrom:nil}`},
		"a variable of a pod in yaml":   {"- name: DB_PASSWORD\n  value: hunter2\n- name: A\n  value: b", "- name: DB_PASSWORD\n  value: ***\n- name: A\n  value: b"},
		"a variable of a pod in braces": {"env: [{name: DB_PASSWORD, value: hunter2}]", "env: [{name: DB_PASSWORD, value: ***}]"},
		"a flag and its value in yaml":  {"args:\n- --db-password\n- hunter2\n- --v\n- x", "args:\n- --db-password\n- ***\n- --v\n- x"},
		"a flag and its value in json":  {"[\n  \"--token\",\n  \"hunter2 x\",\n  \"a\"\n]", "[\n  \"--token\",\n  \"***\",\n  \"a\"\n]"},
		"a flag and another one":        {"- --password-stdin\n- --token\n- --v", "- --password-stdin\n- --token\n- --v"},
		"a block of yaml":               {"password: |\n  hunter2\n  hunter2\nuser: a", "password: |\n  ***\n  ***\nuser: a"},
		"a value of the wrong type":     {`.spec.containers[name="a"].env[name="DB_PASSWORD"].value: expected string, got &value.valueUnstructured{Value:5}`, `.spec.containers[name="a"].env[name="DB_PASSWORD"].value: expected string, got ***`},
		"a ConfigMap's":                 {`.data.password: expected string, got &value.valueUnstructured{Value:5}`, `.data.password: expected string, got ***`},
		"behind colours":                {"\x1b[36mpassword\x1b[0m=\x1b[33mhunter2\x1b[0m x", "password=*** x"},
		"an engine's login":             {`{"auths":{"r.io":{"auth":"aHVudGVyMjpodW50ZXIy"}}}`, `{"auths":{"r.io":{"auth":"***"}}}`},
		"npm's login":                   {"//r.io/:_authToken=hunter2 _auth=aHVudGVyMjpodW50ZXIy", "//r.io/:_authToken=*** _auth=***"},
		"an Authorization header":       {"Authorization: Bearer abcdefgh.ijk", "Authorization: Bearer ***"},
		"a Basic one":                   {"authorization: Basic aHVudGVyMg==", "authorization: Basic ***"},
		"a Digest":                      {`Authorization: Digest username="a", response="hunter2"`, `Authorization: Digest ***`},
		"a scheme that is not known":    {"Authorization: MAC id=hunter2 x=y", "Authorization: ***"},
		"no scheme":                     {"Proxy-Authorization: hunter2 hunter2", "Proxy-Authorization: ***"},
		"a signed request":              {"Authorization: AWS4-HMAC-SHA256 Credential=hunter2/x, Signature=hunter2", "Authorization: AWS4-HMAC-SHA256 ***"},
		"a header for curl":             {`curl -H "Authorization: Bearer abcdefgh" https://x`, `curl -H "Authorization: Bearer ***" https://x`},
		"a header in json":              {`{"Authorization":["Token hunter2"],"x":1}`, `{"Authorization":["Token ***"],"x":1}`},
		"a header in Go":                {"map[Authorization:[Bearer hunter2] Accept:[x]]", "map[Authorization:[Bearer ***] Accept:[x]]"},
		"a header of another kind":      {"X-Api-Key: hunter2", "X-Api-Key: ***"},
		"set-cookie":                    {"set-cookie: sid=hunter2; Path=/; HttpOnly", "set-cookie: ***"},
		"cookie":                        {"< Cookie: a=hunter2; b=hunter2", "< Cookie: ***"},
		"a cookie in json":              {`{"set-cookie":"sid=hunter2; Path=/","n":1}`, `{"set-cookie":"***","n":1}`},
		"a bearer token":                {"sent bearer abcdefghijk=", "sent bearer ***"},
		"a password in a URL":           {"dial postgres://app:hunter2@db:5432/x", "dial postgres://app:***@db:5432/x"},
		"a password with an @":          {"dial postgres://app:hunter2@hunter2@db:5432/x", "dial postgres://app:***@db:5432/x"},
		"a password without a user":     {"redis://:hunter2@cache:6379/0", "redis://:***@cache:6379/0"},
		"a token in a URL":              {"clone https://hunter2hunter2@github.com/a/b", "clone https://***@github.com/a/b"},
		"a DSN":                         {"open app:hunter2@tcp(db:3306)/x?parseTime=true", "open app:***@tcp(db:3306)/x?parseTime=true"},
		"a DSN behind a key":            {"DSN=app:hunter2@unix(/run/x)/y", "DSN=app:***@unix(/run/x)/y"},
		"AWS":                           {"id " + made("AKIA", "IOSFODNN7EXAMPLE", 16) + " x", "id *** x"},
		"GitHub":                        {made("ghp_", "a1B2", 36) + " " + made("gho_", "a1B2", 36) + " " + made("ghs_", "a1B2", 36), "*** *** ***"},
		"GitHub, fine-grained":          {made("github_pat_", "a1B2_", 82), "***"},
		"GitLab":                        {made("glpat-", "a1B2-", 20), "***"},
		"Slack":                         {made("xoxb-", "1234567890-", 40), "***"},
		"Stripe":                        {made("sk_live_", "a1B2", 24), "***"},
		"Google":                        {made("AIza", "a1B2_", 35), "***"},
		"npm":                           {made("npm_", "a1B2", 36), "***"},
		"a JWT":                         {"jwt " + jwt + " end", "jwt *** end"},
		"a private key":                 {"a\n" + key + "\n" + body + "\n" + body + "\nAB==\n" + end + "\nb", "a\n" + key + "\n***\n***\n***\n" + end + "\nb"},
		"a private key on one line":     {`{"k":"` + key + `\n` + body + `\n` + end + `\n","n":1}`, `{"k":"` + key + `***` + end + `\n","n":1}`},
		"a private key behind prefixes": {"#8 0.1 " + key + "\n#8 0.1 " + body + "\n#8 0.1 " + end, "#8 0.1 " + key + "\n***\n#8 0.1 " + end},
		"a private key whose beginning is missing":    {body + "\n" + body + "\nAB==\n" + end + "\nb", "***\n" + end + "\nb"},
		"a private key whose end is missing":          {key + "\n" + body + "\n" + body, key + "\n***\n***"},
		"a private key on one line without an end":    {`k=` + key + `\n` + body[:40], `k=` + key + `***`},
		"a private key in base64":                     {"tls.key: " + made("LS0tLS1CRUdJTi", "BSU0Eg", 60), "tls.key: ***"},
		"a message about a private key hides no more": {"no " + key + " found in the file\nx failed", "no " + key + " found in the file\nx failed"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			got := Masked(test.text)
			if strings.Contains(got, "hunter2") || got != test.want {
				t.Errorf("%s\nbecame\n%s\nwant\n%s", test.text, got, test.want)
			}
			if again := Masked(got); again != got {
				t.Errorf("a second time it becomes\n%s", again)
			}
		})
	}
}

func TestWhatIsNoSecretStays(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		`MountVolume.SetUp failed for volume "db-secret" : secret "db" not found`,
		`couldn't find key password in Secret e2e/db`,
		"localhost/datastorage:wf-a1b2",
		"localhost/x@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"docker://localhost:5000/x@sha256:9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
		"commit 5443446d400092293eeb556bcaedb4361cfbba1d by me@here",
		"all tests passed; passed: 5, failed=0",
		"bypass=on, compass: north, passport: x",
		"pod token-service-6df6dc9557-nfv92: container server waits, password-reset: started, secret-0: ready",
		"rate limited by the token bucket; token_bucket=5, bucket: 7",
		"tokens: 5, max_tokens=4096, prompt_tokens: 12",
		`unexpected token "}" in line 3`,
		"tokenizer: fast, tokenized=all",
		"secretName: db, secretKeyRef: {name: db}, imagePullSecrets: [], automountServiceAccountToken: true",
		"PASSWORD_FILE=/run/secrets/db --token-file /run/token TOKEN_TTL=5m",
		"password: ${DB_PASSWORD} token=$TOKEN secret={{ .Values.x }}",
		"password: null, token=<none>, secret: \"\"",
		"volumes: [{name: s, secret: {secretName: late}}]",
		"basic authentication failed, bearer authentication too",
		"http://127.0.0.1:8080/x?user=a@b.example",
		"GET https://127.0.0.1:6443/api/v1/namespaces/x/secrets/db 404 Not Found",
		"ssh://git@host/x and git@github.com:a/b.git",
		"foo@tcp(x)", "keyboard: us, key: a, monkey=b", "a key=value pair", "the author: me, authority=x",
		"-----BEGIN CERTIFICATE-----\nMIIDazCCAlOgAwIBAgIUMIIDazCCAlOgAwIBAgIU\n-----END CERTIFICATE-----",
		"disk-1234567890123456789012 and task-abcdefghijklmnopqrstuvwxyz",
		"0.1 exec /app: exec format error",
		"level=error msg=\"relation \\\"events\\\" does not exist\" code=17",
		`{"level":"error","msg":"no such file: \"a b\"","n":1}`,
	} {
		if got := Masked(text); got != text {
			t.Errorf("%s\nbecame\n%s", text, got)
		}
	}
}

func TestKnownSecretsAreMaskedWhateverTheyLookLike(t *testing.T) {
	t.Parallel()
	m := NewMasker("abcdef", "abcdefghi")
	if got := m.Line("x abcdefghi y abcdef"); got != "x *** y ***" {
		t.Errorf("%s", got)
	}
}

func TestAKeyThatComesLineByLine(t *testing.T) {
	t.Parallel()
	m := NewMasker()
	var got []string
	for _, line := range []string{"a", "-----BEGIN EC PRIVATE " + "KEY-----", made("", "AbC9", 64), "-----END EC PRIVATE " + "KEY-----", "b"} {
		got = append(got, m.Line(line))
	}
	if got[0] != "a" || got[2] != "***" || got[4] != "b" {
		t.Errorf("%q", got)
	}
}

func FuzzMasked(f *testing.F) {
	f.Add("a ", " b")
	f.Add(`{"msg":"{\"x\":\"`, `\"}"}`)
	f.Fuzz(func(t *testing.T, before, after string) {
		const secret = "ghp_0123456789012345678901234567890123456789"
		if got := Masked(before + " " + secret + " " + after); strings.Contains(got, secret) || !IsHarmless(got) {
			t.Errorf("%q", got)
		}
	})
}
