package apply

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"k8s.io/apimachinery/pkg/apis/meta/v1/unstructured"
	"k8s.io/apimachinery/pkg/runtime/schema"
	utilerrors "k8s.io/apimachinery/pkg/util/errors"
	"k8s.io/cli-runtime/pkg/resource"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// Manifest is text with Kubernetes objects: YAML with any number of documents, or
// JSON. The recorded images are in it already.
type Manifest struct {
	// Name of its file, for errors.
	Name string
	Text []byte
}

// manifestObject is one object of the manifests.
type manifestObject struct {
	*unstructured.Unstructured
	source string
}

// String is how kubectl prints it.
func (o manifestObject) String() string {
	gvk := o.GroupVersionKind()
	return strings.TrimSuffix(strings.ToLower(gvk.Kind)+"."+gvk.Group, ".") + "/" + o.GetName()
}

// withoutObjects are errors without the objects that they quote: what has no kind may be a
// Secret (k8s.io/apimachinery/pkg/runtime/error.go).
func withoutObjects(err error) error {
	if several, ok := err.(utilerrors.Aggregate); ok {
		var all []error
		for _, one := range several.Errors() {
			all = append(all, withoutObjects(one))
		}
		return errors.Join(all...)
	}
	return foreign.Reworded(err, foreign.Masked(quotedObject.ReplaceAllString(err.Error(), " is missing")))
}

var quotedObject = regexp.MustCompile(`(?s) is missing in '.*'`)

// CheckManifests tells whether manifests can be read, and have the images: all of them, or
// any where all is false.
func CheckManifests(manifests []Manifest, images []kube.Image, all bool) error {
	objects, _, err := parseApplicable(manifests)
	if err != nil {
		return err
	}
	return missingImages(objects, images, all)
}

// parseApplicable are the objects that are applied, and the names of Helm's hooks, which are not.
func parseApplicable(manifests []Manifest) ([]manifestObject, []string, error) {
	objects, err := parse(manifests)
	if err != nil {
		return nil, nil, err
	}
	objects, hooks := withoutHooks(objects)
	if len(objects) == 0 {
		return nil, nil, fmt.Errorf("the manifests have nothing but Helm's hooks, which are not applied: %s",
			strings.Join(hooks, ", "))
	}
	return objects, hooks, nil
}

// missingImages says which images no object has: those that were asked for by name, or
// all of them.
func missingImages(objects []manifestObject, images []kube.Image, all bool) error {
	images = slices.DeleteFunc(slices.Clone(images), func(i kube.Image) bool { return i.Accompanies })
	var absent []kube.Image
	for _, image := range images {
		if !slices.ContainsFunc(objects, func(o manifestObject) bool { return mentions(o.Object, image.Image) }) {
			absent = append(absent, image)
		}
	}
	if len(absent) == 0 || !all && len(absent) < len(images) {
		return nil
	}
	var mistakes []error
	for _, image := range absent {
		looked := append([]string{"e2eimage://" + image.Name, image.Image}, image.Aliases...)
		slices.Sort(looked[1:])
		mistakes = append(mistakes, fmt.Errorf("%s: nothing in the manifests has it; looked for %s\n"+
			"write image: e2eimage://%s where it belongs",
			image.Name, strings.Join(slices.Compact(looked), ", "), image.Name))
	}
	return errors.Join(mistakes...)
}

// parse reads the objects, those of Lists too, and puts them in the order in which
// they can be created.
func parse(manifests []Manifest) ([]manifestObject, error) {
	builder := resource.NewLocalBuilder().Unstructured().Local().ContinueOnError().Flatten()
	for _, m := range manifests {
		builder = builder.Stream(bytes.NewReader(m.Text), cmp.Or(m.Name, "standard input"))
	}
	infos, err := builder.Do().Infos()
	if err != nil {
		return nil, fmt.Errorf("manifests: %w", withoutObjects(err))
	}
	var objects []manifestObject
	var mistakes []error
	for _, info := range infos {
		u, ok := info.Object.(*unstructured.Unstructured)
		if !ok {
			continue
		}
		if u.GetName() == "" && (manifestObject{Unstructured: u}).helmHookTimes() == "" {
			mistakes = append(mistakes,
				fmt.Errorf("%s: a %s has no metadata.name; what has a generateName cannot be applied again: kubectl create -f %s",
					info.Source, u.GetKind(), info.Source))
		}
		objects = append(objects, manifestObject{Unstructured: u, source: info.Source})
	}
	if len(objects) == 0 && len(mistakes) == 0 {
		mistakes = append(mistakes, errors.New("the manifests have no object"))
	}
	slices.SortStableFunc(objects, func(a, b manifestObject) int { return cmp.Compare(applyOrder(a), applyOrder(b)) })
	return objects, errors.Join(mistakes...)
}

// kindOrder are the kinds in the order in which they are created: what others need to
// exist comes first. Kinds that are not here have their turn before hooks, which
// would be asked about everything that comes after them.
var kindOrder = []schema.GroupKind{
	{Kind: "Namespace"},
	customResourceDefinition,
	{Group: "scheduling.k8s.io", Kind: "PriorityClass"},
	{Group: "node.k8s.io", Kind: "RuntimeClass"},
	{Group: "storage.k8s.io", Kind: "StorageClass"},
	{Group: "networking.k8s.io", Kind: "NetworkPolicy"},
	{Kind: "ResourceQuota"},
	{Kind: "LimitRange"},
	{Group: "policy", Kind: "PodDisruptionBudget"},
	{Kind: "ServiceAccount"},
	{Kind: "Secret"},
	{Kind: "ConfigMap"},
	{Kind: "PersistentVolume"},
	{Kind: "PersistentVolumeClaim"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRole"},
	{Group: "rbac.authorization.k8s.io", Kind: "ClusterRoleBinding"},
	{Group: "rbac.authorization.k8s.io", Kind: "Role"},
	{Group: "rbac.authorization.k8s.io", Kind: "RoleBinding"},
	{Kind: "Service"},
	{Group: "apps", Kind: "DaemonSet"},
	{Kind: "Pod"},
	{Group: "apps", Kind: "ReplicaSet"},
	{Group: "apps", Kind: "StatefulSet"},
	{Group: "apps", Kind: "Deployment"},
	{Group: "batch", Kind: "Job"},
	{Group: "batch", Kind: "CronJob"},
	{Group: "autoscaling", Kind: "HorizontalPodAutoscaler"},
	{Group: "networking.k8s.io", Kind: "Ingress"},
}

// webhookGroups are called by the API server, mostly from workloads of the same manifests.
var webhookGroups = []string{"admissionregistration.k8s.io", "apiregistration.k8s.io"}

func applyOrder(o manifestObject) int {
	kind := o.GroupVersionKind().GroupKind()
	if at := slices.Index(kindOrder, kind); at >= 0 {
		return at
	}
	if slices.Contains(webhookGroups, kind.Group) {
		return len(kindOrder) + 1
	}
	return len(kindOrder)
}
