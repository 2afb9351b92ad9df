package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"testing"
	"time"
)

// jobOf is a Job, or a CronJob's, whose only container ends by itself.
func jobOf(name, image string) string {
	return fmt.Sprintf(`{apiVersion: batch/v1, kind: Job, metadata: {name: %s}, spec: {backoffLimit: 2, template: %s}}`, name, onceTemplate(image))
}

func onceTemplate(image string) string {
	return fmt.Sprintf(`{spec: {restartPolicy: Never, containers: [{name: once, image: '%s', imagePullPolicy: Never, args: ['-once']}]}}`, image)
}

// everRan are the image IDs of all containers of a pod that its node remembers.
func (u *user) everRan(selector string) []string {
	u.t.Helper()
	var ids []string
	names := strings.Fields(u.kubectl("get", "pods", "-l", selector, "-o", "jsonpath={.items[*].metadata.name}"))
	for _, out := range onNodes(u.t, "crictl", "ps", "-a", "-o", "json") {
		var listed struct {
			Containers []struct {
				ImageID, ImageRef string
				Labels            map[string]string
			}
		}
		if err := json.Unmarshal([]byte(out), &listed); err != nil {
			u.t.Fatal(err)
		}
		for _, container := range listed.Containers {
			for _, name := range names {
				if container.Labels["io.kubernetes.pod.name"] == name && container.Labels["io.kubernetes.pod.namespace"] == u.namespace {
					ids = append(ids, cmp.Or(container.ImageID, container.ImageRef))
				}
			}
		}
	}
	return ids
}

func TestJobsAreMadeAnewWhenAsked(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(jobOf("migrate", source+"-none"))
	was := u.kubectl("get", "job", "migrate", "-o", "jsonpath={.metadata.uid}")
	u.refused(1, []string{"job.batch/migrate", "the pod template of a Job cannot be changed", "--replace"}, "deploy", "datastorage", "--workload", "job/migrate")
	if got := u.must("deploy", "datastorage", "--workload", "job/migrate", "--replace", "--dry-run=server"); got != "job.batch/migrate replaced (server dry run)" {
		t.Errorf("the dry run says %q", got)
	}
	if got := u.kubectl("get", "job", "migrate", "-o", "jsonpath={.metadata.uid}"); got != was {
		t.Error("the dry run replaced the Job")
	}
	var result struct {
		Workloads []struct{ Name, Action string }
		Proved    []struct{ Container, Image, ImageID string }
	}
	if err := json.Unmarshal([]byte(u.must("deploy", "datastorage", "--workload", "job/migrate", "--replace", "-o", "json")), &result); err != nil {
		t.Fatal(err)
	}
	if len(result.Workloads) != 1 || result.Workloads[0].Action != "replaced" || len(result.Proved) != 1 || result.Proved[0].ImageID != id {
		t.Errorf("it says %+v", result)
	}
	if got := u.kubectl("get", "job", "migrate", "-o", "jsonpath={.spec.template.spec.containers[0].image} {.status.succeeded}"); got != image+" 1" {
		t.Errorf("the Job has %q", got)
	}
	for _, ran := range u.everRan("job-name=migrate") {
		if ran != id {
			t.Errorf("it ran %s, want %s", ran, id)
		}
	}
	if got := u.must("deploy", "datastorage", "--workload", "job/migrate"); got != "job.batch/migrate unchanged" {
		t.Errorf("deployed again it says %q", got)
	}
}

func TestAJobThatFailsIsToldWithItsLog(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.imageOf(suite.crasher, source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(strings.Replace(jobOf("migrate", source+"-none"), "backoffLimit: 2", "backoffLimit: 0", 1))
	u.refused(1, []string{"job.batch/migrate", "BackoffLimitExceeded", `relation "events" does not exist`, "deploy --replace"},
		"deploy", "datastorage", "--workload", "job/migrate", "--replace")
	// One that would be tried for long is given up.
	u.apply(strings.Replace(jobOf("patient", source+"-none"), "backoffLimit: 2", "backoffLimit: 20", 1))
	result := u.refused(1, []string{"job.batch/patient", "2 pods of the Job failed", `relation "events" does not exist`},
		"deploy", "datastorage", "--workload", "job/patient", "--replace", "--max-restarts", "1")
	if result.took > 60*time.Second {
		t.Errorf("it took %s", result.took)
	}
}

func TestCronJobsGiveTheirNextJobTheImage(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	id := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(`{apiVersion: batch/v1, kind: CronJob, metadata: {name: report}, spec: {schedule: '0 0 1 1 *', jobTemplate: {spec: {template: ` + onceTemplate(source+"-none") + `}}}}`)
	result := u.e2eimage("deploy", "datastorage", "--workload", "cj/report")
	if result.code != 0 || result.stdout != "cronjob.batch/report image updated\n" || !strings.Contains(result.stderr, "its next Job comes by its schedule") {
		t.Errorf("exit %d: %s%s", result.code, result.stdout, result.stderr)
	}
	u.kubectl("create", "job", "now", "--from=cronjob/report")
	u.kubectl("wait", "--for=condition=Complete", "job/now", "--timeout=60s")
	if got := u.kubectl("get", "job", "now", "-o", "jsonpath={.spec.template.spec.containers[0].image}"); got != image {
		t.Errorf("its Job has %s, want %s", got, image)
	}
	if ran := u.everRan("job-name=now"); len(ran) != 1 || ran[0] != id {
		t.Errorf("it ran %v, want %s", ran, id)
	}
	// That Job is history once there is something newer.
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.must("deploy", "datastorage", "--workload", "cj/report")
	u.must("verify", "--wait")
}

func TestPodsAreChangedInPlaceWhereThatWorks(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	pod := `{apiVersion: v1, kind: Pod, metadata: {name: single}, spec: {terminationGracePeriodSeconds: 0, containers: [{name: one, image: '` + source + `', imagePullPolicy: Never,
  readinessProbe: {httpGet: {path: /readyz, port: 8080}, periodSeconds: 1}}]}}`
	u.apply(pod)
	u.kubectl("wait", "--for=condition=Ready", "pod/single", "--timeout=60s")
	uid := u.kubectl("get", "pod", "single", "-o", "jsonpath={.metadata.uid}")
	second := u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	if got := u.must("deploy", "datastorage", "--workload", "pod/single"); got != "pod/single image updated" {
		t.Errorf("it says %q", got)
	}
	if got := u.kubectl("get", "pod", "single", "-o", "jsonpath={.metadata.uid} {.spec.containers[0].image}"); got != uid+" "+image {
		t.Errorf("the Pod is %s, want %s %s", got, uid, image)
	}
	if u.runs(second) != 1 {
		t.Error("it does not run")
	}
	u.refused(1, []string{"pod/single", "pull policy of a Pod cannot be changed", "--replace"}, "deploy", "datastorage", "--workload", "pod/single", "--pull-policy", "IfNotPresent")
	if got := u.must("deploy", "datastorage", "--workload", "pod/single", "--pull-policy", "IfNotPresent", "--replace"); got != "pod/single replaced" {
		t.Errorf("it says %q", got)
	}
	if got := u.kubectl("get", "pod", "single", "-o", "jsonpath={.spec.containers[0].imagePullPolicy}"); got != "IfNotPresent" {
		t.Errorf("its pull policy is %s", got)
	}
}

func TestReplicaSetsKeepTheirPods(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	source := "localhost/" + u.namespace + ":dev"
	u.image(source)
	image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
	u.apply(workload("ReplicaSet", "store", source, 2))
	u.kubectl("wait", "--for=jsonpath={.status.readyReplicas}=2", "replicaset/store", "--timeout=60s")
	result := u.refused(1, []string{"replicaset.apps/store", "does not replace its pods", "kubectl delete pod -n " + u.namespace + " -l app=store"}, "deploy", "datastorage", "--workload", "rs/store")
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
	u.kubectl("delete", "pod", "-l", "app=store")
	if got := u.must("deploy", "datastorage", "--workload", "rs/store"); got != "replicaset.apps/store unchanged" {
		t.Errorf("it says %q", got)
	}
	if got := u.kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}"); got != image+" "+image {
		t.Errorf("the pods have %s", got)
	}
	u.apply(workload("Deployment", "datastorage", source, 1))
	u.must("deploy", "datastorage")
	set := u.kubectl("get", "replicaset", "-l", "app=datastorage", "-o", "jsonpath={.items[0].metadata.name}")
	u.refused(1, []string{"belongs to Deployment datastorage", "deploy that instead"}, "deploy", "datastorage", "--workload", "rs/"+set)
}

func TestEachStrategyIsWaitedForAsItRolls(t *testing.T) {
	t.Parallel()
	const spec = "\nspec:\n"
	for name, test := range map[string]struct {
		kind, with string
		// then is applied before it is deployed.
		then           string
		replicas, code int
		says           string
		// updated is how many pods have the image afterwards.
		updated int
		least   time.Duration
	}{
		"recreate":       {kind: "Deployment", with: "  strategy: {type: Recreate}\n", replicas: 2, updated: 2},
		"min-ready":      {kind: "Deployment", with: "  minReadySeconds: 6\n", replicas: 1, updated: 1, least: 6 * time.Second},
		"partition":      {kind: "StatefulSet", with: "  updateStrategy: {rollingUpdate: {partition: 1}}\n", replicas: 2, updated: 1, says: "partition leaves 1 of 2 pods"},
		"parallel":       {kind: "StatefulSet", with: "  podManagementPolicy: Parallel\n  minReadySeconds: 2\n", replicas: 2, updated: 2},
		"on-delete":      {kind: "DaemonSet", with: "  updateStrategy: {type: OnDelete}\n", code: 1, says: "OnDelete leaves replacing the pods to you"},
		"on-delete-sts":  {kind: "StatefulSet", with: "  updateStrategy: {type: OnDelete}\n", replicas: 1, code: 1, says: "OnDelete leaves replacing the pods to you"},
		"no-replicas":    {kind: "Deployment", says: "it has 0 replicas"},
		"scaled-by-hpa":  {kind: "Deployment", replicas: 1, updated: 3, then: "{apiVersion: autoscaling/v2, kind: HorizontalPodAutoscaler, metadata: {name: scaled-by-hpa}, spec: {minReplicas: 3, maxReplicas: 3, scaleTargetRef: {apiVersion: apps/v1, kind: Deployment, name: scaled-by-hpa}, metrics: [{type: Resource, resource: {name: cpu, target: {type: Utilization, averageUtilization: 50}}}]}}"},
		"with-an-init":   {kind: "Deployment", replicas: 1, updated: 1},
		"surge-of-three": {kind: "Deployment", with: "  strategy: {rollingUpdate: {maxSurge: 3, maxUnavailable: 0}}\n", replicas: 2, updated: 2},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			source := "localhost/" + u.namespace + ":dev"
			id := u.image(source)
			image := u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
			manifest := strings.Replace(workload(test.kind, name, source, test.replicas), spec, spec+test.with, 1)
			if name == "with-an-init" {
				manifest = strings.Replace(manifest, "      containers:\n", "      initContainers: [{name: migrate, image: '"+source+"', imagePullPolicy: Never, args: ['-once']}]\n      containers:\n", 1)
			}
			u.apply(manifest)
			wanted := test.replicas
			if test.kind == "DaemonSet" {
				wanted = len(suite.nodes) - 1
			}
			waitFor(t, "the pods of before are ready", func() bool {
				return strings.Count(u.kubectl("get", "pods", "-o", "jsonpath={.items[*].status.containerStatuses[0].ready}"), "true") == wanted
			})
			if test.then != "" {
				u.apply(test.then)
				waitFor(t, "the autoscaler has scaled it", func() bool {
					return u.kubectl("get", "deployment", name, "-o", "jsonpath={.spec.replicas}") == "3"
				})
			}
			result := u.e2eimage("deploy", "datastorage", "--workload", test.kind+"/"+name)
			if result.code != test.code || !strings.Contains(strings.Join(strings.Fields(result.stderr), " "), test.says) || result.took < test.least {
				t.Fatalf("exit %d after %s: %s", result.code, result.took, result.stderr)
			}
			waitFor(t, "the pods of before are gone", func() bool {
				pods := strings.Fields(u.kubectl("get", "pods", "-o", "jsonpath={.items[*].spec.containers[0].image}"))
				updated := 0
				for _, has := range pods {
					if has == image {
						updated++
					}
				}
				return updated == test.updated && (test.says != "" || len(pods) == updated)
			})
			if test.says == "" {
				u.runs(id)
			}
			if test.code == 0 {
				u.must("verify", "datastorage", "--consumer", "suite")
			}
			if name == "with-an-init" {
				for _, ran := range u.everRan("app=" + name) {
					if ran != id {
						t.Errorf("a container ran %s", ran)
					}
				}
			}
		})
	}
}
