package e2e

import (
	"fmt"
	"strings"
	"sync"
	"testing"
)

// What of the manifests others are admitted by is not there when all of them are
// judged.
func TestManifestsMayBringWhatTheyNeed(t *testing.T) {
	t.Parallel()
	u, _, id := tagged(t)
	group, class := u.namespace+".example.com", u.namespace+"-class"
	definition := func(fields string) string {
		return fmt.Sprintf(`apiVersion: apiextensions.k8s.io/v1
kind: CustomResourceDefinition
metadata: {name: widgets.%[1]s}
spec:
  group: %[1]s
  scope: Cluster
  names: {kind: Widget, plural: widgets}
  versions: [{name: v1, served: true, storage: true, schema: {openAPIV3Schema: {type: object, properties: {spec: {type: object, properties: {%[2]s}}}}}}]
---
apiVersion: %[1]s/v1
kind: Widget
metadata: {name: one}
`, group, fields)
	}
	u.deletedAfterwards("crd", "widgets."+group)
	u.deletedAfterwards("priorityclass", class)
	u.write("all.yaml", definition("a: {type: string}")+"spec: {a: x}\n---\n"+
		"{apiVersion: v1, kind: ServiceAccount, metadata: {name: runner}}\n---\n"+
		"{apiVersion: scheduling.k8s.io/v1, kind: PriorityClass, metadata: {name: "+class+"}, value: 7}\n---\n"+
		"{apiVersion: v1, kind: Pod, metadata: {name: one, annotations: }, spec: {serviceAccountName: runner, priorityClassName: "+class+", terminationGracePeriodSeconds: 0, containers: [{name: a, image: 'e2eimage://datastorage'}]}}\n---\n"+
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: Role, metadata: {name: reader}, rules: [{apiGroups: [''], resources: [pods], verbs: [get]}]}\n---\n"+
		"{apiVersion: rbac.authorization.k8s.io/v1, kind: RoleBinding, metadata: {name: reader}, roleRef: {apiGroup: rbac.authorization.k8s.io, kind: Role, name: reader}, subjects: [{kind: ServiceAccount, name: runner}]}\n")
	if got := u.must("deploy", "datastorage", "-f", "all.yaml"); !strings.Contains(got, "widget."+group+"/one created") || !strings.Contains(got, "pod/one created") {
		t.Errorf("it says\n%s", got)
	}
	if u.runs(id) != 1 {
		t.Error("the pod does not run it")
	}
	// A kind that gets a field together with an object that has it.
	u.write("all.yaml", definition("a: {type: string}, b: {type: string}")+"spec: {a: x, b: z}\n---\n"+
		"{apiVersion: v1, kind: ConfigMap, metadata: {name: image}, data: {image: 'e2eimage://datastorage'}}\n")
	if got := u.must("deploy", "datastorage", "-f", "all.yaml"); !strings.Contains(got, "widget."+group+"/one configured") {
		t.Errorf("it says\n%s", got)
	}
}

func TestASecretThatComesLateIsWaitedFor(t *testing.T) {
	t.Parallel()
	u, _, id := tagged(t)
	u.apply(withContainer(workload("Deployment", "datastorage", "localhost/none:none", 1), "        volumeMounts: [{name: s, mountPath: /s}]\n") + "      volumes: [{name: s, secret: {secretName: late}}]\n")
	other := &user{t: t, namespace: u.namespace, dir: u.dir, env: u.env}
	var create sync.Once
	// The latest moment: the kubelet has missed it all the while, says so until it
	// tries again seconds later, and the run asks whether that is still true.
	u.faultyAPI(func(request string) error {
		if request == "GET secrets" {
			create.Do(func() { other.kubectl("create", "secret", "generic", "late") })
		}
		return nil
	}, func(string) {})
	u.must("deploy", "datastorage")
	if got := other.events(); !strings.Contains(got, `secret "late" not found`) {
		t.Errorf("the kubelet has not missed it:\n%s", got)
	}
	if u.runs(id) != 1 {
		t.Error("it does not run")
	}
}

func TestWhatIsReplacedIsNotLost(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	source := "localhost/" + u.namespace + ":dev"
	// May delete, and not create.
	u.apply(jobOf("migrate", source+"-none"))
	u.apply(`{apiVersion: v1, kind: Pod, metadata: {name: single}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: one, image: '` + source + `', imagePullPolicy: Never, env: [{name: DB_PASSWORD, value: hunter2}]}]}}`)
	u.kubectl("wait", "--for=condition=Ready", "pod/single", "--timeout=60s")
	u.kubectl("label", "namespace", u.namespace, "pod-security.kubernetes.io/enforce=restricted")
	u.refused(1, []string{"pod/single", "violates PodSecurity", "it was not changed"}, "deploy", "datastorage", "--workload", "pod/single", "--pull-policy", "IfNotPresent", "--replace")
	u.write("pod.yaml", `{apiVersion: v1, kind: Pod, metadata: {name: single}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: one, image: 'e2eimage://datastorage', imagePullPolicy: IfNotPresent, env: [{name: DB_PASSWORD, value: hunter3}]}]}}`)
	for _, dry := range []string{"none", "server"} {
		result := u.refused(1, []string{"pod/single", "violates PodSecurity"}, "deploy", "datastorage", "-f", "pod.yaml", "--force-conflicts", "--replace", "--dry-run="+dry)
		if strings.Contains(result.stderr, "hunter") {
			t.Errorf("it tells a secret:\n%s", result.stderr)
		}
	}
	result := u.refused(1, []string{"pod/single"}, "deploy", "datastorage", "-f", "pod.yaml", "--force-conflicts")
	if strings.Contains(result.stderr, "hunter") {
		t.Errorf("it tells a secret:\n%s", result.stderr)
	}
	u.kubectl("get", "pod", "single")
	u.write("job.yaml", jobOf(strings.Repeat("long-", 11)+"x", "e2eimage://datastorage"))
	u.kubectl("label", "namespace", u.namespace, "pod-security.kubernetes.io/enforce-")
	u.must("deploy", "datastorage", "-f", "job.yaml")
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	if got := u.must("deploy", "datastorage", "-f", "job.yaml", "--replace", "--dry-run"); !strings.HasSuffix(got, " replaced (dry run)") {
		t.Errorf("a dry run says %q", got)
	}
	if got := u.must("deploy", "datastorage", "-f", "job.yaml", "--replace"); !strings.HasSuffix(got, " replaced") {
		t.Errorf("it says %q", got)
	}
}

func TestPodsOfManifestsThatCannotBecomeWhatIsWanted(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	source := "localhost/" + u.namespace + ":dev"
	u.write("pods.yaml", `{apiVersion: v1, kind: Pod, metadata: {name: once}, spec: {restartPolicy: Never, containers: [{name: one, image: 'e2eimage://datastorage', args: ['-once']}]}}
---
{apiVersion: v1, kind: Pod, metadata: {name: init}, spec: {terminationGracePeriodSeconds: 0, initContainers: [{name: first, image: 'e2eimage://datastorage', args: ['-once']}], containers: [{name: one, image: 'e2eimage://datastorage'}]}}
`)
	u.must("deploy", "datastorage", "-f", "pods.yaml")
	u.kubectl("wait", "--for=jsonpath={.status.phase}=Succeeded", "pod/once", "--timeout=60s")
	second := u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.refused(1, []string{"pod/once", "the Pod has ended", "pod/init", "the init containers of a Pod run only once", "--replace"}, "deploy", "datastorage", "-f", "pods.yaml")
	if got := u.must("deploy", "datastorage", "-f", "pods.yaml", "--replace"); got != "pod/once replaced\npod/init replaced" {
		t.Errorf("it says %q", got)
	}
	if u.runs(second) == 0 {
		t.Error("nothing runs it")
	}
}

func TestAPolicyOfBeforeDoesNotPassTheNodeBy(t *testing.T) {
	t.Parallel()
	u, _, id := tagged(t)
	manifest := strings.Replace(workload("Deployment", "datastorage", "localhost/"+u.namespace+":latest", 1), "        imagePullPolicy: Never\n", "", 1)
	u.apply(manifest)
	u.write("d.yaml", strings.Replace(manifest, "localhost/"+u.namespace+":latest", "e2eimage://datastorage", 1))
	u.must("deploy", "datastorage", "-f", "d.yaml", "--force-conflicts")
	if got := u.kubectl("get", "deployment", "datastorage", "-o", "jsonpath={.spec.template.spec.containers[0].imagePullPolicy}"); got != "Never" || u.runs(id) != 1 {
		t.Errorf("the policy is %s", got)
	}
}
