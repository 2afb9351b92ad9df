package e2eimagetest

import (
	"errors"
	"fmt"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

// state is an image as Status has it, for a gate also with what only Verify minds.
func (f *Fake) state(one *image) e2eimage.ImageStatus {
	status := e2eimage.ImageStatus{
		Name: one.name, Consumer: f.consumer, Namespace: "default", Image: one.recordedImage(),
		Repository: one.repository(), Tag: one.tag, ImageID: one.id(one.recorded), Source: one.sourceName(),
		NodesWith: []string{"fake-control-plane"}, State: e2eimage.StateConsistent,
	}
	wrong := func(state e2eimage.State, text string) {
		status.State, status.Problems = state, []e2eimage.Problem{{State: state, Text: text}}
	}
	switch {
	case one.recorded < one.source:
		wrong(e2eimage.StateStale, "this host has something newer than what is recorded")
	case one.deployed == 0:
		wrong(e2eimage.StateNotRunning, "no workload uses "+one.recordedImage())
	case one.deployed != one.recorded:
		wrong(e2eimage.StateDrifted, "deployment.apps/"+one.name+" has another image")
	}
	if one.deployed > 0 {
		status.Running, status.Wanted = 1, 1
		status.Workloads = []e2eimage.WorkloadStatus{{Name: "deployment.apps/" + one.name, Running: 1, Wanted: 1}}
	}
	return status
}

// disagreement is what Verify finds, nil for nothing.
func disagreement(all []e2eimage.ImageStatus) error {
	found := &e2eimage.DisagreementError{Of: len(all)}
	for _, one := range all {
		if one.State != e2eimage.StateConsistent {
			found.Images = append(found.Images, one)
		}
	}
	if len(found.Images) == 0 {
		return nil
	}
	return &e2eimage.InconsistentError{Err: found}
}

func notRecorded(one *image) error {
	return &e2eimage.Error{
		Code: e2eimage.CodeNotRecorded, Image: one.name, Err: fmt.Errorf("no record of %s", one.name),
	}
}

func notLoaded(one *image) error {
	return &e2eimage.Error{
		Code: e2eimage.CodeNotLoaded, Image: one.name, Node: "fake-control-plane",
		Err: fmt.Errorf("node fake-control-plane does not have %s", one.sourceName()),
	}
}

func stale(one *image) error {
	return &e2eimage.InconsistentError{Err: &e2eimage.Error{
		Code: e2eimage.CodeStale, Image: one.name,
		Err: fmt.Errorf("%s: this host has something newer", one.name),
	}}
}

// recordedAll tells which of the images are not recorded.
func recordedAll(images []*image) error {
	var mistakes []error
	for _, one := range images {
		if one.recorded == 0 {
			mistakes = append(mistakes, notRecorded(one))
		}
	}
	return errors.Join(mistakes...)
}
