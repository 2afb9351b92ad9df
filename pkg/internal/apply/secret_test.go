package apply

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

func oneObject(t *testing.T, text string) manifestObject {
	t.Helper()
	objects, err := parse([]Manifest{{Name: "s.yaml", Text: []byte(text)}})
	if err != nil {
		t.Fatal(err)
	}
	return objects[0]
}

func TestWhatIsWrongWithASecretIsToldWithoutItsValues(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		text string
		says []string
	}{
		"a number":           {"stringData: {a: hunter2, port: 5432}", []string{"s.yaml: secret/x: stringData.port is a number", "put it in quotes"}},
		"a truth":            {"stringData: {a: hunter2, flag: true}", []string{"stringData.flag is true or false"}},
		"a list and a map":   {"stringData: {a: [hunter2], b: {c: hunter2}}", []string{"stringData.a is a list", "stringData.b is a map"}},
		"no base64":          {"data: {a: hunter2!}", []string{"data.a is not base64", "stringData"}},
		"text instead":       {"stringData: hunter2", []string{"stringData is text, and has to be keys with values"}},
		"all of it at once":  {"data: {a: 1}\nstringData: {b: 2}", []string{"data.a is a number", "stringData.b is a number"}},
		"nothing is wrong":   {"data: {a: aHVudGVyMg==, b: }\nstringData: {b: hunter2, c: ''}", nil},
		"nothing is in it":   {"data:", nil},
		"another group's is": {"stringData: {a: 5}", nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			version := "v1"
			if strings.HasPrefix(name, "another") {
				version = "example.com/v1"
			}
			err := checkSecret(oneObject(t, "apiVersion: "+version+"\nkind: Secret\nmetadata: {name: x}\n"+test.text))
			if (err == nil) != (test.says == nil) {
				t.Fatalf("error %v", err)
			}
			for _, words := range test.says {
				if !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("error %v, want %q", err, words)
				}
			}
		})
	}
}

func TestWhatTheAPIServerSaysOfASecretHasNoValues(t *testing.T) {
	t.Parallel()
	answer := func(reason metav1.StatusReason, message string, causes ...metav1.StatusCause) error {
		return &apierrors.StatusError{ErrStatus: metav1.Status{Status: metav1.StatusFailure, Code: http.StatusBadRequest, Reason: reason, Message: message, Details: &metav1.StatusDetails{Causes: causes}}}
	}
	secret := &appliedObject{object: oneObject(t, "{apiVersion: v1, kind: Secret, metadata: {name: x, namespace: tests}}")}
	for name, test := range map[string]struct {
		err  error
		says []string
	}{
		"a value of the wrong kind": {
			answer(metav1.StatusReasonBadRequest, `Secret in version "v1" cannot be handled as a Secret: json: cannot unmarshal number into Go struct field Secret.stringData of type string, ...|d":"hunter2","port":54|...`),
			[]string{"apply secret/x in namespace tests", "refuses it (BadRequest)", "is not shown", "kubectl apply --server-side --dry-run=server"},
		},
		"a value of the wrong kind today": {
			answer("", `failed to create typed patch object (e2e/x; /v1, Kind=Secret): .stringData.password: expected string, got &value.valueUnstructured{Value:"hunter2"}`),
			[]string{"refuses it (InternalError): .stringData.password: expected string"},
		},
		"a field that is not known": {
			answer(metav1.StatusReasonBadRequest, `strict decoding error: unknown field "stringDatta", hunter2`), []string{`unknown field "stringDatta"`},
		},
		"what cannot be": {
			answer(metav1.StatusReasonInvalid, `Secret "x" is invalid: data[tls.key]: Invalid value: "hunter2"`, metav1.StatusCause{Type: metav1.CauseTypeFieldValueInvalid, Field: "data[tls.key]", Message: `Invalid value: "hunter2"`}),
			[]string{"refuses it (Invalid): data[tls.key] FieldValueInvalid"},
		},
		"a webhook": {
			answer(metav1.StatusReasonForbidden, `admission webhook "p.example.com" denied the request: the password hunter2 is too short`), []string{`admission webhook "p.example.com" denied the request`},
		},
		"no leave": {
			apierrors.NewForbidden(schema.GroupResource{Resource: "secrets"}, "x", errors.New(`User "me" cannot patch resource "secrets" in API group "" in the namespace "n"`)),
			[]string{`User "me" cannot patch resource "secrets"`, "docs/rbac.md"},
		},
		"no connection": {errors.New("dial tcp 127.0.0.1:1: connection refused"), []string{"connection refused"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			err := secret.explain("apply", test.err)
			for _, words := range test.says {
				if !strings.Contains(err.Error(), words) || strings.Contains(err.Error(), "hunter2") {
					t.Errorf("it says %v, want %q", err, words)
				}
			}
			if !errors.Is(err, test.err) {
				t.Error("the answer is lost")
			}
		})
	}
}

func TestObjectsThatAreQuotedAreMasked(t *testing.T) {
	t.Parallel()
	pod := &appliedObject{object: oneObject(t, "{apiVersion: v1, kind: Pod, metadata: {name: x}}")}
	err := pod.explain("apply", errors.New(`spec: Forbidden: pod updates may not change fields: core.PodSpec{Env:[]core.EnvVar{core.EnvVar{Name:"DB_PASSWORD", Value:"hunter2"}}}`))
	if got := err.Error(); strings.Contains(got, "hunter2") || !strings.Contains(got, "pod updates may not change fields") {
		t.Errorf("%s", got)
	}
	for _, text := range []string{"stringData: {a: hunter2, b: \"it's 'hunter2', x\"}", "---\na: b\n---\nstringData: {a: hunter2}"} {
		_, err := parse([]Manifest{{Name: "s.yaml", Text: []byte(text)}})
		if err == nil || strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), "is missing") || !strings.Contains(err.Error(), "s.yaml") {
			t.Errorf("%v", err)
		}
	}
}

func TestRequestsAboutSecretsAreNotLogged(t *testing.T) {
	t.Parallel()
	var logged strings.Builder
	ctx := klog.NewContext(t.Context(), textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&logged))))
	for _, kind := range []string{"Secret", "ConfigMap"} {
		o := oneObject(t, "{apiVersion: v1, kind: "+kind+", metadata: {name: x}}")
		klog.FromContext(o.unlogged(ctx)).Info("Request Body", "body", kind)
	}
	if got := logged.String(); strings.Contains(got, "Secret") || !strings.Contains(got, "ConfigMap") {
		t.Errorf("%s", got)
	}
}
