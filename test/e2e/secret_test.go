package e2e

import (
	"fmt"
	"strings"
	"testing"
)

func TestNothingTellsTheValuesOfASecret(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	pod := "{apiVersion: v1, kind: Pod, metadata: {name: one}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: a, image: 'e2eimage://datastorage'}]}}\n"
	for name, test := range map[string]struct {
		secret string
		says   []string
	}{
		"a number":                  {"stringData: {user: hunter2, port: 5432}", []string{"secret/x: stringData.port is a number", "put it in quotes"}},
		"no base64":                 {"data: {user: 'hunter2!'}", []string{"secret/x: data.user is not base64"}},
		"a field of another kind":   {"immutable: hunter2\nstringData: {user: hunter2}", []string{"apply secret/x", ".immutable: expected boolean"}},
		"a field that is not there": {"stringDatta: {user: hunter2}", []string{".stringDatta: field not declared in schema"}},
		"what its type wants":       {"type: kubernetes.io/tls\nstringData: {user: hunter2}", []string{"refuses it (Invalid): data[tls.crt] FieldValueRequired"}},
		"a key that cannot be":      {"stringData: {'a b': hunter2}", []string{"data[a b] FieldValueInvalid", "is not shown"}},
	} {
		t.Run(name, func(t *testing.T) {
			u.write("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\n"+test.secret+"\n---\n"+pod)
			result := u.refused(1, test.says, "deploy", "datastorage", "-f", "s.yaml", "-v", "9")
			if strings.Contains(result.stderr, "hunter2") || strings.Contains(result.stderr, "aHVudGVyMg") {
				t.Errorf("it tells a value:\n%s", result.stderr)
			}
		})
	}
	u.write("s.yaml", "kindd: Secret\nstringData: {user: hunter2}\n---\n"+pod)
	if result := u.refused(1, []string{"is missing"}, "deploy", "datastorage", "-f", "s.yaml"); strings.Contains(result.stderr, "hunter2") {
		t.Errorf("it tells a value:\n%s", result.stderr)
	}
	// What is right is in no log either, whoever owns it before.
	secret := func(value string) string {
		return fmt.Sprintf("apiVersion: v1\nkind: Secret\nmetadata: {name: x}\nstringData: {user: %s, more: '%s'}\n---\n%s", value, strings.Repeat("long ", 400), pod)
	}
	u.apply(strings.Split(secret("hunter2"), "---")[0])
	u.write("s.yaml", secret("hunter22"))
	for range 2 {
		result := u.e2eimage("deploy", "datastorage", "-f", "s.yaml", "-v", "9")
		if result.code != 0 || strings.Contains(result.stderr, "hunter2") || strings.Contains(result.stderr, "aHVudGVyMg") || !strings.Contains(result.stderr, "Request Body") {
			t.Errorf("exit %d: it tells a value, or logs nothing:\n%s", result.code, result.stderr)
		}
	}
	u.kubectl("patch", "secret", "x", "--field-manager=somebody", "--type=merge", "-p", `{"data":{"user":"aHVudGVyMg=="}}`)
	u.write("s.yaml", "apiVersion: v1\nkind: Secret\nmetadata: {name: x}\ndata: {user: aHVudGVyMjM=}\n---\n"+pod)
	if result := u.refused(1, []string{"belong to others", "somebody", ".data.user"}, "deploy", "datastorage", "-f", "s.yaml"); strings.Contains(result.stderr, "hunter2") || strings.Contains(result.stderr, "aHVudGVyMg") {
		t.Errorf("it tells a value:\n%s", result.stderr)
	}
}
