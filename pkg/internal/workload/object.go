package workload

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// object is one workload, whatever its kind.
type object struct {
	runtime.Object
	meta *metav1.ObjectMeta
	// template of its pods; a Pod is its own.
	template *corev1.PodTemplateSpec
	// selector of its pods, nil for a Pod and for a CronJob, whose pods are its
	// Jobs'.
	selector *metav1.LabelSelector
}

func asObject(raw runtime.Object) (object, error) {
	for _, r := range table {
		if o, ok := r.view(raw); ok {
			return o, nil
		}
	}
	return object{}, fmt.Errorf("%T is no workload that can be deployed to", raw)
}

// typedObject reads a workload as its kind.
func typedObject(u *unstructured.Unstructured, k kind) (object, error) {
	// Its errors name the field, which those of runtime's own converter do not.
	text, err := u.MarshalJSON()
	if err != nil {
		return object{}, err
	}
	typed := k.row().empty.DeepCopyObject()
	if err := json.Unmarshal(text, typed); err != nil {
		return object{}, err
	}
	return asObject(typed)
}

// clone is a copy of its own.
func (o object) clone() object {
	copied, _ := asObject(o.DeepCopyObject()) // o is of a kind of the table
	return copied
}
