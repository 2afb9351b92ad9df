package apply

import (
	"fmt"
	"slices"
	"strings"
)

// helmHook is what makes an object of a chart one of Helm's hooks, and says when Helm makes it.
const helmHook = "helm.sh/hook"

// helmHookTimes is when Helm makes an object, if not for an install: for a test, before a release is
// deleted, at a rollback. `helm template` prints them with the rest. It is "" for all else;
// an install's own hooks belong to what is installed.
func (o manifestObject) helmHookTimes() string {
	times := strings.Split(o.GetAnnotations()[helmHook], ",")
	for i, time := range times {
		times[i] = strings.TrimSpace(time)
	}
	if slices.ContainsFunc(times, func(time string) bool {
		return slices.Contains([]string{"", "pre-install", "post-install", "crd-install"}, time)
	}) {
		return ""
	}
	return strings.Join(times, ", ")
}

// withoutHooks takes out what an install would not make, and names it.
func withoutHooks(objects []manifestObject) (rest []manifestObject, hooks []string) {
	for _, o := range objects {
		if when := o.helmHookTimes(); when != "" {
			hooks = append(hooks, fmt.Sprintf("%s (%s)", o, when))
			continue
		}
		rest = append(rest, o)
	}
	return rest, hooks
}

// SkippedHooks are the objects of the manifests that are not applied, since they are Helm's hooks
// of other times than an install, each with these.
func (p *Plan) SkippedHooks() []string { return p.hooks }
