package kube

import (
	"encoding/json"
	"fmt"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime"
)

// Object is one workload, whatever its kind.
type Object struct {
	runtime.Object
	Meta *metav1.ObjectMeta
	// Template of its pods; a Pod is its own.
	Template *corev1.PodTemplateSpec
	// Selector of its pods, nil for a Pod and for a CronJob, whose pods are its
	// Jobs'.
	Selector *metav1.LabelSelector
}

// AsObject is the workload that a typed object is.
func AsObject(raw runtime.Object) (Object, error) {
	for _, of := range kinds {
		if o, ok := of.view(raw); ok {
			return o, nil
		}
	}
	return Object{}, fmt.Errorf("%T is no workload that can be deployed to", raw)
}

// Decode reads a workload as its kind.
func Decode(u *unstructured.Unstructured, k Kind) (Object, error) {
	// Its errors name the field, which those of runtime's own converter do not.
	text, err := u.MarshalJSON()
	if err != nil {
		return Object{}, err
	}
	typed := k.traits().empty.DeepCopyObject()
	if err := json.Unmarshal(text, typed); err != nil {
		return Object{}, err
	}
	return AsObject(typed)
}

// Clone is a copy of its own.
func (o Object) Clone() Object {
	copied, _ := AsObject(o.DeepCopyObject()) // o is of a kind of the table
	return copied
}
