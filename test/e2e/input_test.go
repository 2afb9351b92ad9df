package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestBadInput(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	tests := map[string]struct {
		args []string
		code int
		says []string
	}{
		"no such cluster":                {[]string{"tag", "datastorage", "--source", "localhost/x:1", "--kind-cluster", "nowhere"}, 1, []string{`no Kind cluster "nowhere"`, suite.cluster + " (" + suite.provider + ")"}},
		"no record":                      {[]string{"deploy", "datastorage"}, 1, []string{"no record of datastorage in namespace", "kubectl e2eimage up datastorage"}},
		"bad name":                       {[]string{"tag", "Data_Storage", "--source", "localhost/x:1"}, 2, []string{`"Data_Storage"`, "lowercase letters"}},
		"several mistakes":               {[]string{"tag", "x", "--source", "localhost/UPPER:1", "--repository", "a:b", "--tag", strings.Repeat("t", 129)}, 2, []string{"--source", "--repository", "--tag", "129 characters"}},
		"no such source":                 {[]string{"tag", "datastorage", "--source", "localhost/nothing:1", "--consumer", "c"}, 1, []string{"no node of Kind cluster", "localhost/nothing:1", "kubectl e2eimage load localhost/nothing:1"}},
		"unknown flag":                   {[]string{"tag", "--nonsense"}, 2, []string{"has no flag --nonsense", "--help"}},
		"unknown verb":                   {[]string{"tagg"}, 2, []string{"there is no verb", "tag"}},
		"no NAME and no file":            {[]string{"tag"}, 2, []string{"which image", "e2eimage.yaml"}},
		"a template that does not parse": {[]string{"tag", "x", "--source", "localhost/x:1", "--tag-template", "{{.Nope"}, 2, []string{"--tag-template"}},
		"shell in a value":               {[]string{"tag", "x", "--source", "$(reboot)", "--consumer", "c"}, 2, []string{"$(reboot)"}},
		"a newline in a value":           {[]string{"tag", "x", "--source", "localhost/x:1\nlocalhost/y:1", "--consumer", "c"}, 2, []string{"--source"}},
		"quotes in a value":              {[]string{"tag", "x", "--source", `localhost/"x":1`, "--consumer", "c"}, 2, []string{"--source"}},
		"a newline in a tag":             {[]string{"tag", "x", "--source", "localhost/x:1", "--consumer", "c", "--tag", "a\nb"}, 2, []string{"--tag"}},
		"bad consumer":                   {[]string{"tag", "x", "--source", "localhost/x:1", "--consumer", "Work_Flow"}, 2, []string{`"Work_Flow"`, "--consumer"}},
		"a template that yields no tag":  {[]string{"tag", "x", "--source", "localhost/x:1", "--consumer", "c", "--tag-template", "a b"}, 2, []string{"a b"}},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			result := u.e2eimage(test.args...)
			wantRefused(t, result, test.code, test.says...)
			if result.stdout != "" {
				t.Errorf("stdout has %q", result.stdout)
			}
		})
	}
}

func TestAnUnknownFieldIsNamedWithItsLine(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.write("e2eimage.yaml", "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages:\n- name: datastorage\n  sorce: localhost/x:1\n  deploy: {pullPolicy: Always}\n")
	u.refused(2, []string{"e2eimage.yaml:5: images[0].sorce", `did you mean "source"`}, "tag")
}

func TestAllMistakesOfAFileComeAtOnceWithTheirLines(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.write("e2eimage.yaml", `apiVersion: e2eimage.dev/v1alpha1
kind: Config
images:
- name: data storage
  source: localhost/UPPER:1
  source: localhost/twice:1
  colour: red
- name: gateway
  source: "localhost/x:$(reboot)"
  repository: "localhost/x:1"
`)
	u.refused(2, []string{"e2eimage.yaml:4: ", "e2eimage.yaml:6: ", "e2eimage.yaml:7: ", "e2eimage.yaml:9: ", "e2eimage.yaml:10: "}, "tag")
}

func TestARoleThatForbidsTheConfigMapIsNamed(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.kubectl("create", "serviceaccount", "nobody")
	u.apply("{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [\"\"], resources: [configmaps], verbs: [get, list]}]}")
	u.kubectl("create", "rolebinding", "nobody", "--role", "reader", "--serviceaccount", u.namespace+":nobody")
	u.actAs("nobody")
	u.refused(1, []string{"may not write ConfigMap " + u.namespace + "/e2eimage-" + u.namespace, "docs/rbac.md"}, "tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.nothingLeftOf("localhost/datastorage:")
}

// actAs gives the user the rights of a service account.
func (u *user) actAs(account string) {
	u.t.Helper()
	limited := filepath.Join(u.dir, "limited.kubeconfig")
	text, err := os.ReadFile(suite.kubeconfig)
	if err != nil {
		u.t.Fatal(err)
	}
	u.write("limited.kubeconfig", string(text))
	token := u.kubectl("create", "token", account)
	admin := u.kubectl("config", "view", "-o", "jsonpath={.users[0].name}")
	u.env = append(u.env, "KUBECONFIG="+limited)
	u.kubectl("config", "delete-user", admin)
	u.kubectl("config", "set-credentials", admin, "--token", token)
}

func TestTheConfigReplacesArguments(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	api, worker := "localhost/"+u.namespace+"-api:dev", "localhost/"+u.namespace+"-worker:dev"
	u.image(api)
	u.image(worker)
	u.write("e2eimage.yaml", `apiVersion: e2eimage.dev/v1alpha1
kind: Config
tag: "{{.Name}}-{{.Consumer}}-{{.Random}}"
images:
- {name: api, source: `+api+`}
- {name: worker, source: `+worker+`, repository: localhost/backend, deploy: {workloads: [statefulset/queue]}}
suites:
- {consumer: first, namespace: `+u.namespace+`, kindCluster: `+suite.cluster+`, images: [worker, api]}
- {consumer: second, namespace: `+u.namespace+`, kindCluster: `+suite.cluster+`}
`)
	plain := func(args ...string) outcome {
		return u.try(t.Context(), append([]string{"kubectl", "e2eimage"}, args...)...)
	}
	wantRefused(t, plain("tag"), 2, "several suites", "first, second", "--consumer")
	result := plain("tag", "--consumer", "first")
	lines := strings.Split(strings.TrimSpace(result.stdout), "\n")
	if result.code != 0 || len(lines) != 2 ||
		!strings.HasPrefix(lines[0], "localhost/backend:worker-first-") || !strings.HasPrefix(lines[1], "localhost/api:api-first-") {
		t.Fatalf("exit %d, printed %q: %s", result.code, lines, result.stderr)
	}
	u.apply(workload("Deployment", "api", api, 1))
	u.apply(workload("StatefulSet", "queue", worker, 1))
	result = plain("deploy", "--consumer", "first")
	if want := "statefulset.apps/queue image updated\ndeployment.apps/api image updated\n"; result.code != 0 || result.stdout != want {
		t.Errorf("exit %d, printed %q: %s", result.code, result.stdout, result.stderr)
	}
}

func TestTheDocumentedRoleIsEnough(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.kubectl("create", "serviceaccount", "suite")
	u.apply(documented(t, "../../docs/rbac.md"))
	u.kubectl("create", "rolebinding", "suite", "--role", "e2eimage", "--serviceaccount", u.namespace+":suite")
	u.actAs("suite")
	u.must("tag", "datastorage", "--source", source, "--consumer", u.namespace)
	u.must("deploy", "datastorage")
	u.must("ref", "datastorage")
	u.must("clean", "datastorage", "--force")
	wantRefused(t, u.try(t.Context(), "kubectl", "e2eimage", "ref", "datastorage", "--namespace", "default"), 1, "may not list the ConfigMaps in namespace default", "docs/rbac.md")
}

// documented returns the YAML block of a page.
func documented(t *testing.T, page string) string {
	t.Helper()
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	_, block, _ := strings.Cut(string(text), "```yaml\n")
	block, _, found := strings.Cut(block, "```")
	if !found {
		t.Fatalf("%s has no YAML block", page)
	}
	return block
}

// write puts a file into the user's folder.
func (u *user) write(name, text string) {
	u.t.Helper()
	path := filepath.Join(u.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		u.t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		u.t.Fatal(err)
	}
}

func TestKubectlFindsThePlugin(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	// This machine may have it installed, and kubectl minds a second one.
	u.env = append(u.env, "PATH="+suite.bin)
	if got := u.kubectl("plugin", "list"); !strings.Contains(got, "kubectl-e2eimage") {
		t.Errorf("kubectl plugin list: %s", got)
	}
	help := u.try(t.Context(), "kubectl", "e2eimage", "tag", "--help")
	for _, words := range []string{"Examples:", "Options:", "Usage:", "kubectl e2eimage tag [NAME...]"} {
		if !strings.Contains(help.stdout, words) {
			t.Errorf("the help does not say %q:\n%s", words, help.stdout)
		}
	}
}

func readAll(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}
