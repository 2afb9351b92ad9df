package e2e

import (
	"context"
	"encoding/json"
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// fed runs the plugin with text on its standard input.
func (u *user) fed(text string, args ...string) outcome {
	u.t.Helper()
	command := exec.CommandContext(u.t.Context(), lookIn(u.env, "kubectl"), append([]string{"e2eimage", "--namespace", u.namespace}, args...)...)
	command.Dir, command.Env, command.Stdin = u.dir, u.env, strings.NewReader(text)
	return u.finish(command, nil)
}

// deletedAfterwards takes away what is not in the user's namespace.
func (u *user) deletedAfterwards(kind, name string) {
	u.t.Cleanup(func() {
		u.try(context.WithoutCancel(u.t.Context()), "kubectl", "delete", kind, name, "--ignore-not-found", "--wait=false")
	})
}

// tagged is a user with a recorded image.
func tagged(t *testing.T) (u *user, image, id string) {
	t.Helper()
	u = newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id = u.image(source)
	return u, u.must("tag", "datastorage", "--source", source, "--consumer", "suite"), id
}

// events are all that were told of in the namespace.
func (u *user) events() string {
	return u.kubectl("get", "events", "-o", "jsonpath={range .items[*]}{.reason} {.message}{\"\\n\"}{end}")
}

func TestManifestsAreAppliedWithTheImageInThem(t *testing.T) {
	t.Parallel()
	u, image, id := tagged(t)
	group := u.namespace + ".example.com"
	u.write("deploy/10-workload.yaml", strings.Replace(workload("Deployment", "datastorage", "e2eimage://datastorage", 2), "imagePullPolicy: Never", "imagePullPolicy: Always\n        envFrom: [{configMapRef: {name: settings}}]", 1)+
		"---\n"+workload("StatefulSet", "other", "localhost/"+u.namespace+":dev", 1))
	// What it needs comes after it, in a List and in folders.
	u.write("deploy/20-config.json", `{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"ConfigMap","metadata":{"name":"settings"},"data":{"a":"b"}},
		{"apiVersion":"v1","kind":"ServiceAccount","metadata":{"name":"sa"}}]}`)
	u.write("deploy/inner/crd.yaml", fmt.Sprintf(`apiVersion: %[1]s/v1
kind: Gizmo
metadata: {name: one}
---
apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: gizmos.%[1]s}
spec:
  group: %[1]s
  scope: Namespaced
  names: {kind: Gizmo, plural: gizmos}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, x-kubernetes-preserve-unknown-fields: true}}}]
`, group))
	u.deletedAfterwards("crd", "gizmos."+group)

	dry := u.must("deploy", "datastorage", "-f", "deploy", "-R", "--dry-run=server")
	if !strings.Contains(dry, "deployment.apps/datastorage created (server dry run)") || u.kubectl("get", "deployments", "-o", "name") != "" {
		t.Errorf("the dry run says %s", dry)
	}
	want := strings.Join([]string{
		"customresourcedefinition.apiextensions.k8s.io/gizmos." + group + " created", "serviceaccount/sa created", "configmap/settings created",
		"statefulset.apps/other created", "deployment.apps/datastorage created", "gizmo." + group + "/one created",
	}, "\n")
	if got := u.must("deploy", "datastorage", "-f", "deploy", "-R"); got != want {
		t.Errorf("it says\n%s\nwant\n%s", got, want)
	}
	for _, name := range []string{"deployment/datastorage", "statefulset/other"} {
		got := u.kubectl("get", name, "-o", `jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].imagePullPolicy} {.metadata.annotations.e2eimage\.dev/consumer} {.spec.template.metadata.annotations.imageid\.e2eimage\.dev/datastorage} {.metadata.managedFields[0].manager}`)
		if got != image+" Never suite "+id+" kubectl-e2eimage" {
			t.Errorf("%s has %s", name, got)
		}
	}
	if got := u.runs(id); got != 3 {
		t.Errorf("%d run", got)
	}
	// There never was a pod without the image.
	if events := u.events(); strings.Contains(events, "ErrImage") || strings.Contains(events, "Failed") {
		t.Errorf("the events say\n%s", events)
	}
	generation := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}")
	if got := u.must("deploy", "datastorage", "-f", "deploy", "-R"); strings.Count(got, "unchanged") != 6 {
		t.Errorf("again it says\n%s", got)
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.generation}"); got != generation {
		t.Errorf("the generation was %s and is %s", generation, got)
	}
	// New content, from standard input, over what a patch of ours wrote.
	second := u.image("localhost/" + u.namespace + ":dev")
	u.must("tag", "datastorage", "--source", "localhost/"+u.namespace+":dev", "--consumer", "suite")
	u.must("deploy", "datastorage")
	result := u.fed(workload("Deployment", "datastorage", "e2eimage://datastorage", 1), "deploy", "datastorage", "-f", "-", "-o", "json")
	var said struct {
		Workloads []struct{ Action string }
		Proved    []struct{ ImageID string }
	}
	if err := json.Unmarshal([]byte(result.stdout), &said); err != nil || result.code != 0 {
		t.Fatalf("exit %d: %v: %s", result.code, err, result.stderr)
	}
	if len(said.Workloads) != 1 || said.Workloads[0].Action != "configured" || len(said.Proved) != 1 || said.Proved[0].ImageID != second {
		t.Errorf("it says %s", result.stdout)
	}
}

func TestANamespaceOfTheManifestsComesFirst(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	inner := u.namespace + "-inner"
	text := strings.Replace(workload("Deployment", "datastorage", "localhost/datastorage", 1)+"---\n"+workload("StatefulSet", "other", "localhost/datastorage", 0),
		"metadata: {name: datastorage}", "metadata: {name: datastorage, namespace: "+inner+"}", 1)
	wantRefused(t, u.fed(text, "deploy", "datastorage", "-f", "-"), 1, "is of namespace "+inner+", which does not match -n "+u.namespace)
	// The record's namespace said otherwise confines nothing.
	u.write("e2eimage.yaml", configHead+"consumer: suite\nnamespace: "+u.namespace+"\nimages: [{name: datastorage, source: 'localhost/"+u.namespace+":dev'}]\n")
	deploy := func(text string) outcome {
		command := exec.CommandContext(t.Context(), lookIn(u.env, "kubectl"), "e2eimage", "deploy", "-f", "-")
		command.Dir, command.Env, command.Stdin = u.dir, u.env, strings.NewReader(text)
		return u.finish(command, nil)
	}
	missing := deploy(text)
	wantRefused(t, missing, 1, `namespace "`+inner+`" does not exist`, "kubectl create namespace "+inner)
	if strings.Count(missing.stderr, inner) != 2 {
		t.Errorf("it is said more than once:\n%s", missing.stderr)
	}
	u.deletedAfterwards("namespace", inner)
	result := deploy(text + "---\n{apiVersion: v1, kind: Namespace, metadata: {name: " + inner + "}}\n")
	if result.code != 0 || result.stdout != "namespace/"+inner+" created\nstatefulset.apps/other created\ndeployment.apps/datastorage created\n" {
		t.Errorf("exit %d: %s%s", result.code, result.stdout, result.stderr)
	}
	if got := u.kubectl("get", "deployment", "-n", inner, "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("it has %s", got)
	}
}

func TestKustomizationsAreApplied(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	u.write("base/deployment.yaml", workload("Deployment", "datastorage", "localhost/datastorage:any", 1))
	u.write("base/kustomization.yaml", "namePrefix: e2e-\nresources: [deployment.yaml]\nconfigMapGenerator: [{name: c, literals: [a=b]}]\n")
	if got := u.must("deploy", "datastorage", "-k", "base"); !strings.Contains(got, "deployment.apps/e2e-datastorage created") || !strings.Contains(got, "configmap/e2e-c-") {
		t.Errorf("it says %s", got)
	}
	if got := u.kubectl("get", "deployment", "e2e-datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("it has %s", got)
	}
}

func TestAllThatIsWrongWithManifestsIsSaidBeforeAnythingIsApplied(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	u.write("bad.yaml", `apiVersion: v1
kind: ConfigMap
metadata: {name: fine}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: typo}
spec:
  replica: 1
  selector: {matchLabels: {app: x}}
  template: {metadata: {labels: {app: x}}, spec: {containers: [{name: a, image: 'e2eimage://datastorage'}]}}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: selector}
spec:
  selector: {matchLabels: {app: x}}
  template: {metadata: {labels: {app: another}}, spec: {containers: [{name: a, image: 'e2eimage://datastorage'}]}}
`)
	u.refused(1, []string{"bad.yaml", "deployment.apps/typo", ".spec.replica: field not declared in schema", "deployment.apps/selector", "does not match template"}, "deploy", "datastorage", "-f", "bad.yaml")
	u.write("unknown.yaml", "{apiVersion: example.com/v1, kind: Nothing, metadata: {name: x}}\n---\n{apiVersion: v1, kind: Pod, metadata: {generateName: x-}, spec: {containers: [{name: a, image: 'e2eimage://datastorage'}]}}\n")
	u.refused(1, []string{"unknown.yaml", "generateName"}, "deploy", "datastorage", "-f", "unknown.yaml")
	u.write("kind.yaml", "{apiVersion: example.com/v1, kind: Nothing, metadata: {name: x}, image: 'e2eimage://datastorage'}\n")
	u.refused(1, []string{"kind.yaml", "does not know its kind Nothing"}, "deploy", "datastorage", "-f", "kind.yaml")
	u.write("none.yaml", workload("Deployment", "other", "localhost/other:1", 1))
	u.refused(1, []string{"datastorage: nothing in the manifests has it", "e2eimage://datastorage"}, "deploy", "datastorage", "-f", "none.yaml")
	u.write("placeholder.yaml", "a: 1\n---\nimage: e2eimage://gateway\n")
	u.refused(1, []string{"placeholder.yaml:3: e2eimage://gateway: no image of that name is recorded"}, "deploy", "datastorage", "-f", "placeholder.yaml")
	u.write("twice.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 1))
	u.refused(1, []string{"deployment.apps/datastorage in namespace " + u.namespace + " stands twice", "twice.yaml and in twice.yaml"}, "deploy", "datastorage", "-f", "twice.yaml", "-f", "twice.yaml")
	u.write("empty.yaml", "# nothing\n")
	u.refused(1, []string{"the manifests have no object"}, "deploy", "datastorage", "-f", "empty.yaml")
	if got := u.kubectl("get", "deployments,configmaps", "-o", "name"); strings.Contains(got, "fine") || strings.Contains(got, "deployment") {
		t.Errorf("there is %s", got)
	}
}

func TestFieldsThatOthersOwnAreNamedWithTheirOwner(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	manifest := workload("Deployment", "datastorage", "e2eimage://datastorage", 1)
	u.write("d.yaml", manifest)
	u.write("theirs.yaml", strings.Replace(manifest, "e2eimage://datastorage", "localhost/"+u.namespace+":dev", 1))
	u.kubectl("apply", "--server-side", "--field-manager=flux", "-f", u.dir+"/theirs.yaml")
	u.refused(1, []string{"deployment.apps/datastorage", "belong to others: flux:", "image", "--force-conflicts"}, "deploy", "datastorage", "-f", "d.yaml")
	if got := u.must("deploy", "datastorage", "-f", "d.yaml", "--force-conflicts"); got != "deployment.apps/datastorage configured" {
		t.Errorf("it says %s", got)
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("it has %s", got)
	}
}

func TestWhatWasAppliedClientSideIsInherited(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	manifest := workload("Deployment", "datastorage", "e2eimage://datastorage", 1)
	before := strings.Replace(manifest, "e2eimage://datastorage", "localhost/"+u.namespace+":dev", 1)
	u.apply(strings.Replace(before, "imagePullPolicy: Never", "imagePullPolicy: Never\n        env: [{name: OLD, value: a}]", 1))
	u.write("d.yaml", manifest)
	if got := u.must("deploy", "datastorage", "-f", "d.yaml", "--dry-run=server"); got != "deployment.apps/datastorage configured (server dry run)" {
		t.Errorf("the dry run says %s", got)
	}
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.metadata.managedFields[*].manager}", "--show-managed-fields"); !strings.Contains(got, "kubectl-client-side-apply") || strings.Contains(got, "e2eimage") {
		t.Errorf("after the dry run the field managers are %s", got)
	}
	if got := u.must("deploy", "datastorage", "-f", "d.yaml"); got != "deployment.apps/datastorage configured" {
		t.Errorf("it says %s", got)
	}
	// What the manifest does not set any more has gone, in one rollout.
	got := u.kubectl("get", "deployment", "datastorage", "--show-managed-fields", "-o",
		`jsonpath={.spec.template.spec.containers[0].image} {.spec.template.spec.containers[0].env}{.metadata.annotations.kubectl\.kubernetes\.io/last-applied-configuration} {.metadata.annotations.deployment\.kubernetes\.io/revision} {.metadata.managedFields[*].manager}`)
	if want := image + "  2 kubectl-e2eimage kube-controller-manager"; got != want {
		t.Errorf("it has %s, want %s", got, want)
	}
	if got := u.must("deploy", "datastorage", "-f", "d.yaml"); got != "deployment.apps/datastorage unchanged" {
		t.Errorf("once more it says %s", got)
	}
	// kubectl apply goes on as before.
	u.apply(before)
	u.must("deploy", "datastorage", "-f", "d.yaml")
}

func TestManifestsKeepTheImagesOfThoseThatWereNotAskedFor(t *testing.T) {
	t.Parallel()
	u, image, id := tagged(t)
	other := "localhost/gateway-" + u.namespace + ":dev"
	otherID := u.image(other)
	gateway := u.must("tag", "gateway", "--source", other, "--consumer", "suite")
	u.write("all.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 1)+"---\n"+workload("Deployment", "gateway", other, 1))
	has := func(when string) {
		t.Helper()
		for name, want := range map[string]string{"datastorage": image + " " + id, "gateway": gateway + " " + otherID} {
			got := u.kubectl("get", "deployment", name, "-o", `jsonpath={.spec.template.spec.containers[0].image} {.spec.template.metadata.annotations.imageid\.e2eimage\.dev/`+name+`}`)
			if got != want {
				t.Errorf("%s %s has %s, want %s", when, name, got, want)
			}
		}
	}
	result := u.e2eimage("deploy", "datastorage", "-f", "all.yaml", "-o", "json")
	var said struct {
		Proved []struct{ Image string }
	}
	if err := json.Unmarshal([]byte(result.stdout), &said); err != nil || len(said.Proved) != 2 {
		t.Errorf("it proved %+v: %v: %s", said, err, result.stderr)
	}
	has("with one of them asked for")
	if got := u.must("deploy", "gateway", "-f", "all.yaml"); strings.Count(got, "unchanged") != 2 {
		t.Errorf("with the other asked for it says %s", got)
	}
	has("with the other asked for")
	// Another consumer's, which does not mean the gateway, must not have it.
	u.must("tag", "datastorage", "--source", "localhost/"+u.namespace+":dev", "--consumer", "other")
	u.kubectl("annotate", "deployment", "datastorage", "e2eimage.dev/consumer=other", "--overwrite")
	u.refused(3, []string{"deployment.apps/gateway", `is deployed by consumer "suite", not "other"`}, "deploy", "datastorage", "-f", "all.yaml", "--consumer", "other")
	has("after the other consumer's run")
	// What is wrong with a record matters only where the manifests have its image.
	u.kubectl("annotate", "--overwrite", "configmap", "e2eimage-suite", "image.e2eimage.dev/gateway=localhost/x:y")
	u.write("one.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 1))
	u.must("deploy", "datastorage", "-f", "one.yaml", "--consumer", "suite", "--take-over")
	u.refused(3, []string{"gateway", "changed by hand"}, "deploy", "datastorage", "-f", "all.yaml", "--consumer", "suite")
}

func TestAnotherConsumersManifestsAreNotOverwritten(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	u.write("d.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 1))
	u.must("deploy", "datastorage", "-f", "d.yaml")
	source := "localhost/" + u.namespace + ":other"
	u.image(source)
	other := u.must("tag", "datastorage", "--source", source, "--consumer", "other")
	u.refused(3, []string{`is deployed by consumer "suite", not "other"`, "--take-over"}, "deploy", "datastorage", "-f", "d.yaml", "--consumer", "other")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("it has %s", got)
	}
	u.must("deploy", "datastorage", "-f", "d.yaml", "--consumer", "other", "--take-over")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != other {
		t.Errorf("it has %s", got)
	}
}

func TestJobsOfManifestsAreMadeAnewWhenAsked(t *testing.T) {
	t.Parallel()
	u, image, _ := tagged(t)
	source := "localhost/" + u.namespace + ":dev"
	u.write("jobs.yaml", jobOf("migrate", "e2eimage://datastorage")+"\n---\n"+jobOf("seed", source))
	if got := u.must("deploy", "datastorage", "-f", "jobs.yaml"); got != "job.batch/migrate created\njob.batch/seed created" {
		t.Errorf("it says %s", got)
	}
	if got := u.kubectl("get", "jobs", "-o", "jsonpath={.items[*].status.succeeded}"); got != "1 1" {
		t.Errorf("they have succeeded %s times", got)
	}
	// One that a chart has made with the recorded image is right.
	u.apply(jobOf("charted", image))
	u.write("charted.yaml", jobOf("charted", "e2eimage://datastorage"))
	if got := u.must("deploy", "datastorage", "-f", "charted.yaml"); got != "job.batch/charted configured" {
		t.Errorf("it says %s", got)
	}
	second := u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.refused(1, []string{"job.batch/migrate", "job.batch/seed", "cannot be changed", "--replace"}, "deploy", "datastorage", "-f", "jobs.yaml")
	if got := u.must("deploy", "datastorage", "-f", "jobs.yaml", "--replace"); got != "job.batch/migrate replaced\njob.batch/seed replaced" {
		t.Errorf("it says %s", got)
	}
	if got := u.must("deploy", "datastorage", "-f", "charted.yaml", "--replace"); got != "job.batch/charted replaced" {
		t.Errorf("it says %s", got)
	}
	if got := u.kubectl("get", "job", "charted", "-o", `jsonpath={.spec.template.metadata.annotations.imageid\.e2eimage\.dev/datastorage}`); got != second {
		t.Errorf("made anew it is noted for %s, want %s", got, second)
	}
	for _, ran := range u.everRan("job-name") {
		if ran != second {
			t.Errorf("a container ran %s, want %s", ran, second)
		}
	}
	// One that the API server would refuse is not deleted before.
	u.write("jobs.yaml", strings.Replace(jobOf("seed", source), "restartPolicy: Never", "restartPolicy: Always", 1))
	u.refused(1, []string{"job.batch/seed", "restartPolicy"}, "deploy", "datastorage", "-f", "jobs.yaml", "--replace")
	u.kubectl("get", "job", "seed")
	// One that is taken away as soon as it is complete has done its work.
	u.write("jobs.yaml", strings.Replace(jobOf("fleeting", source), "backoffLimit: 2", "ttlSecondsAfterFinished: 0", 1))
	if got := u.must("deploy", "datastorage", "-f", "jobs.yaml"); got != "job.batch/fleeting created" {
		t.Errorf("it says %s", got)
	}
}

func TestOtherWorkloadsOfTheManifestsAreWaitedForToo(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	u.write("d.yaml", workload("Deployment", "datastorage", "e2eimage://datastorage", 1)+"---\n"+workload("Deployment", "broken", "localhost/nobody-has:this", 1))
	u.refused(1, []string{"deployment.apps/broken", "ErrImageNeverPull", "localhost/nobody-has:this"}, "deploy", "datastorage", "-f", "d.yaml")
}
