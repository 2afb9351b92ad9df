package e2eimage

import (
	"cmp"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// meant asks whether recorded names were meant by those that are not, "" where none is
// like them. Names of e2eimage.yaml are not mistyped.
func meant(suite config.Suite, sets []*record.Set) string {
	known := namesOf(sets)
	var near []string
	for _, image := range suite.Images {
		isOfFile := suite.File != "" && (image.Source != "" || image.Build != nil || image.Prebuilt != "")
		if slices.Contains(known, image.Name) || isOfFile {
			continue
		}
		word := nearest.Word(image.Name, known)
		for _, set := range sets {
			word = cmp.Or(word, sameSource(set, image))
		}
		if word != "" {
			near = append(near, word)
		}
	}
	if len(near) == 0 {
		return ""
	}
	return "; did you mean " + strings.Join(near, ", ") + "?"
}

// sameSource is the recorded name of what comes from where the image does, "" for none.
func sameSource(set *record.Set, image config.Image) string {
	for _, name := range set.Names() {
		evidence, err := set.Entry(name)
		if err == nil && evidence != nil && image.Source != "" && evidence.Source == image.Source && name != image.Name {
			return name
		}
	}
	return ""
}

// consumersOf are those that have records, each once.
func consumersOf(sets []*record.Set) []string {
	found := map[string]bool{}
	for _, set := range sets {
		found[set.Consumer] = found[set.Consumer] || len(set.Names()) > 0
	}
	return slices.DeleteFunc(sortedKeys(found), func(consumer string) bool { return !found[consumer] })
}

// namesOf are the names that sets have.
func namesOf(sets []*record.Set) []string {
	var names []string
	for _, set := range sets {
		names = append(names, set.Names()...)
	}
	return names
}

// notRecorded are the images that were asked for and have no record.
func (r *statusRun) notRecorded(found []ImageStatus) []ImageStatus {
	if r.in.AllNamespaces {
		// They need not be in each.
		return nil
	}
	var missing []ImageStatus
	for _, image := range recordable(r.in.Suite) {
		if slices.ContainsFunc(found, func(i ImageStatus) bool { return i.Name == image.Name }) {
			continue
		}
		problem := Problem{
			State: StateUnfinished, Text: "nothing is recorded in namespace " + r.kube.namespace,
			mend: typed("up", image.Name, r.in.Suite),
		}
		one := r.in.Suite
		one.Images = []config.Image{image}
		if near := meant(one, r.all); near != "" {
			problem.Text, problem.mend = problem.Text+near, ""
		} else if unsourced(one) {
			problem.mend += " --source IMAGE"
		}
		missing = append(missing, ImageStatus{
			Name: image.Name, Consumer: r.in.Suite.Consumer, NodesWith: []string{}, Workloads: []WorkloadStatus{},
			State:    StateUnfinished,
			Problems: []Problem{problem},
		})
	}
	return missing
}
