package e2eimage

import (
	"encoding/json"
	"reflect"
	"testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/rollout"
)

// RolloutError repeats the fields of an internal type, so that its documentation shows them.
func TestARolloutErrorHasAllThatIsKnownOfTheRollout(t *testing.T) {
	t.Parallel()
	var known rollout.FailedError
	in := reflect.ValueOf(&known).Elem()
	for i := range in.NumField() {
		switch field := in.Field(i); {
		case !in.Type().Field(i).IsExported():
		case field.Kind() == reflect.String:
			field.SetString("said")
		case field.Kind() == reflect.Int:
			field.SetInt(1)
		case field.Kind() == reflect.Bool:
			field.SetBool(true)
		default:
			field.Set(reflect.ValueOf([]string{"said"}))
		}
	}
	out := reflect.ValueOf(rolloutError(&known)).Elem()
	for i := range in.NumField() {
		name := in.Type().Field(i).Name
		if !in.Type().Field(i).IsExported() {
			continue
		}
		if got := out.FieldByName(name); !got.IsValid() || !reflect.DeepEqual(got.Interface(), in.Field(i).Interface()) {
			t.Errorf("%s is lost", name)
		}
	}
}

func TestARolloutErrorAsJSONLeavesOutWhatIsNotKnown(t *testing.T) {
	t.Parallel()
	failed := &rollout.FailedError{Workload: "w", Namespace: "n", Reason: "Timeout", Message: "m", NotInTime: true}
	body, err := json.Marshal(rolloutError(failed))
	if err != nil || string(body) != `{"workload":"w","namespace":"n","reason":"Timeout","message":"m","notInTime":true}` {
		t.Errorf("as JSON %s, error is %v", body, err)
	}
}
