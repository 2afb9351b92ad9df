package apply

import (
	"cmp"
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/klog/v2"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Nothing that is said of a Secret has its values in it. The API server quotes them in
// what it refuses, also in part, so that they could not be found and masked.

func (o manifestObject) isSecret() bool {
	return o.GroupVersionKind().GroupKind() == schema.GroupKind{Kind: "Secret"}
}

// unlogged keeps requests about a Secret out of the log, which has their bodies.
func (o manifestObject) unlogged(ctx context.Context) context.Context {
	if !o.isSecret() {
		return ctx
	}
	return klog.NewContext(ctx, klog.Logger{})
}

// checkSecret finds what is mostly wrong with Secrets before the API server does, of
// whose answer little could be shown.
func checkSecret(o manifestObject) error {
	if !o.isSecret() {
		return nil
	}
	var mistakes []error
	wrong := func(field, format string, args ...any) {
		mistakes = append(mistakes, fmt.Errorf("%s: %s: %s "+format, append([]any{o.source, o, field}, args...)...))
	}
	for _, field := range []string{"data", "stringData"} {
		said, there := o.Object[field]
		values, isMap := said.(map[string]any)
		if there && said != nil && !isMap {
			wrong(field, "is %s, and has to be keys with values", typeName(said))
		}
		for _, key := range slices.Sorted(maps.Keys(values)) {
			text, isText := values[key].(string)
			_, err := base64.StdEncoding.DecodeString(text)
			switch {
			case values[key] == nil:
			case !isText:
				wrong(field+"."+key, "is %s, and has to be text; put it in quotes", typeName(values[key]))
			case field == "data" && err != nil:
				wrong(field+"."+key, "is not base64; plain text goes into stringData")
			}
		}
	}
	return errors.Join(mistakes...)
}

// typeName is what a value is in YAML.
func typeName(value any) string {
	switch value.(type) {
	case bool:
		return "true or false"
	case string:
		return "text"
	case []any:
		return "a list"
	case map[string]any:
		return "a map"
	}
	return "a number"
}

// harmlessWords are in answers that have nothing of the object but names of fields.
var harmlessWords = regexp.MustCompile(`\.[\w.\[\]="/-]+: (?:expected \w+|field not declared in schema)|illegal base64 data|(?:unknown|duplicate) field "[^"]*"|admission webhook "[^"]*" (?:denied the request|does not support dry run)|exceeded quota: [\w.-]+|namespaces "[^"]*" not found`)

// withoutValues is an answer of the API server about a Secret without what it quotes of
// it: why in a word, and which fields.
func withoutValues(err error) error {
	var status apierrors.APIStatus
	if !errors.As(err, &status) {
		// Of the connection.
		return err
	}
	answer := status.Status()
	switch answer.Reason {
	case metav1.StatusReasonNotFound, metav1.StatusReasonUnauthorized, metav1.StatusReasonAlreadyExists,
		metav1.StatusReasonConflict,
		metav1.StatusReasonServerTimeout, metav1.StatusReasonTimeout, metav1.StatusReasonTooManyRequests,
		metav1.StatusReasonServiceUnavailable:
		return err
	case metav1.StatusReasonForbidden:
		if kube.DeniedByRole(err) {
			return err
		}
	}
	found := harmlessWords.FindAllString(answer.Message, -1)
	if answer.Details != nil {
		for _, cause := range answer.Details.Causes {
			if cause.Field != "" {
				found = append(found, strings.TrimSpace(cause.Field+" "+string(cause.Type)))
			}
		}
	}
	words := fmt.Sprintf("the API server refuses it (%s)", cmp.Or(answer.Reason, metav1.StatusReasonInternalError))
	if len(found) > 0 {
		slices.Sort(found)
		words += ": " + strings.Join(slices.Compact(found), ", ")
	}
	return foreign.Reworded(err,
		words+"\nthe rest of its answer may quote the Secret and is not shown; kubectl apply --server-side "+
			"--dry-run=server shows it")
}
