package e2e

import (
	"encoding/base64"
	"fmt"
	"strings"
	"testing"
	"time"
)

// withPod puts lines into the pod spec of a workload.
func withPod(manifest, lines string) string {
	return strings.Replace(manifest, "      containers:\n", lines+"      containers:\n", 1)
}

// withContainer puts lines into its first container.
func withContainer(manifest, lines string) string {
	return strings.Replace(manifest, "        ports:", lines+"        ports:", 1)
}

// Each of these keeps a rollout from ending in practice. The message has to name
// the cause, and come when success is impossible, not when the time is over.
func TestWhatBlocksARolloutIsNamed(t *testing.T) {
	t.Parallel()
	deployment := workload("Deployment", "datastorage", "localhost/none:none", 1)
	for name, test := range map[string]struct {
		manifest, before string
		// crasher is the arguments of the program that does not come up, "" for the
		// service.
		crasher string
		code    int
		says    []string
		flags   []string
	}{
		"no node is selected": {
			manifest: withPod(deployment, "      nodeSelector: {nowhere: \"true\"}\n"),
			says: []string{
				"Unschedulable", suite.nodes[0] + ": its taint node-role.kubernetes.io/control-plane:NoSchedule is not tolerated",
				suite.nodes[1] + ": it is not selected by the pod's nodeSelector nowhere=true", suite.nodes[2] + ": it is not selected",
			},
		},
		"no node has room": {
			manifest: withContainer(deployment, "        resources: {requests: {cpu: 1000}}\n"),
			says:     []string{"Insufficient cpu", suite.nodes[1] + ": it has ", "cpu left, and 1k is asked for"},
		},
		"a claim has no volume": {
			before:   "{apiVersion: v1, kind: PersistentVolumeClaim, metadata: {name: data}, spec: {storageClassName: nope, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}",
			manifest: deployment + "      volumes: [{name: data, persistentVolumeClaim: {claimName: data}}]\n",
			says:     []string{`persistentvolumeclaim/data is Pending, of storage class "nope"`, `"nope" not found`},
		},
		"a claim is not there": {
			manifest: deployment + "      volumes: [{name: data, persistentVolumeClaim: {claimName: absent}}]\n",
			says:     []string{"persistentvolumeclaim/absent does not exist"},
		},
		"a StatefulSet's claim has no volume": {
			manifest: workload("StatefulSet", "datastorage", "localhost/none:none", 1) + "  volumeClaimTemplates: [{metadata: {name: data}, spec: {storageClassName: nope, accessModes: [ReadWriteOnce], resources: {requests: {storage: 1Mi}}}}]\n",
			says:     []string{`persistentvolumeclaim/data-datastorage-0 is Pending, of storage class "nope"`, `"nope" not found`},
			flags:    []string{"--workload", "sts/datastorage"},
		},
		"a ConfigMap is missing": {
			manifest: withContainer(deployment, "        envFrom: [{configMapRef: {name: absent}}]\n"),
			says:     []string{"CreateContainerConfigError", `configmap "absent" not found`},
		},
		"a ConfigMap's volume is missing": {
			manifest: withContainer(deployment, "        volumeMounts: [{name: c, mountPath: /c}]\n") + "      volumes: [{name: c, configMap: {name: absent}}]\n",
			says:     []string{"FailedMount", `configmap "absent" not found`},
		},
		"a Secret is missing": {
			manifest: withContainer(deployment, "        env: [{name: A, valueFrom: {secretKeyRef: {name: absent, key: a}}}]\n"),
			says:     []string{"CreateContainerConfigError", `secret "absent" not found`},
		},
		"a Secret's volume is missing": {
			manifest: withContainer(deployment, "        volumeMounts: [{name: s, mountPath: /s}]\n") + "      volumes: [{name: s, secret: {secretName: absent}}]\n",
			says:     []string{"FailedMount", `secret "absent" not found`},
		},
		"a key of a Secret is missing": {
			before:   "{apiVersion: v1, kind: Secret, metadata: {name: there}, stringData: {a: hunter2}}",
			manifest: withContainer(deployment, "        env: [{name: A, valueFrom: {secretKeyRef: {name: there, key: b}}}]\n"),
			says:     []string{"CreateContainerConfigError", "couldn't find key b"},
		},
		"a ServiceAccount is missing": {
			manifest: withPod(deployment, "      serviceAccountName: absent\n"),
			says:     []string{"FailedCreate", `serviceaccount "absent" not found`},
		},
		"a quota is used up": {
			before:   "{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: \"0\"}}}",
			manifest: workload("StatefulSet", "datastorage", "localhost/none:none", 1),
			says:     []string{"FailedCreate", "exceeded quota: none"},
			flags:    []string{"--workload", "sts/datastorage"},
		},
		"a Job's quota is used up": {
			before:   "{apiVersion: v1, kind: ResourceQuota, metadata: {name: none}, spec: {hard: {pods: \"0\"}}}",
			manifest: jobOf("datastorage", "localhost/none:none"),
			says:     []string{"FailedCreate", "exceeded quota: none"},
			flags:    []string{"--workload", "job/datastorage", "--replace"},
		},
		"a probe is answered no": {
			manifest: withContainer(deployment, "        args: [unready]\n"), crasher: "unready",
			code: 124, says: []string{"not ready after 12s", "Readiness probe failed: HTTP probe failed with statuscode: 503", "waiting for the database"},
			flags: []string{"--timeout", "12s"},
		},
		"a container has too little memory": {
			manifest: withContainer(deployment, "        args: [eat]\n        resources: {limits: {memory: 24Mi}}\n"), crasher: "eat",
			// Under load the kubelet takes it for one that somebody killed.
			says: []string{"exit code 137", "memory limit of 24Mi", "raise resources.limits.memory of container datastorage"}, flags: []string{"--max-restarts", "1"},
		},
		"a program crashes": {
			manifest: deployment, crasher: "crash",
			says:  []string{"CrashLoopBackOff", "last exit code 17", `relation "events" does not exist`, "password=***", "DB_PASS=*** \ufffdreversed", "--previous"},
			flags: []string{"--max-restarts", "1"},
		},
		"an init container crashes": {
			manifest: withPod(deployment, "      initContainers: [{name: migrate, image: 'localhost/none:none', imagePullPolicy: Never}]\n"), crasher: "crash",
			says:  []string{"container migrate", "last exit code 17", `relation "events" does not exist`},
			flags: []string{"--max-restarts", "1", "--container", "migrate,datastorage"},
		},
		"another container's image cannot be pulled": {
			manifest: deployment + "      - {name: sidecar, image: '127.0.0.1:1/nobody/has:this', imagePullPolicy: IfNotPresent}\n",
			says:     []string{"ErrImagePull", "sidecar", "127.0.0.1:1/nobody/has:this", "kubectl e2eimage load 127.0.0.1:1/nobody/has:this"},
			flags:    []string{"--container", "datastorage"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			u := newUser(t)
			source := "localhost/" + u.namespace + ":dev"
			if test.crasher != "" {
				u.imageOf(suite.crasher, source)
			} else {
				u.image(source)
			}
			u.must("tag", "datastorage", "--source", source, "--consumer", "suite")
			if test.before != "" {
				u.apply(test.before)
			}
			u.apply(test.manifest)
			code := 1
			if test.code != 0 {
				code = test.code
			}
			result := u.refused(code, test.says, append([]string{"deploy", "datastorage"}, test.flags...)...)
			if strings.Contains(result.stderr, "hunter2") {
				t.Error("it tells a secret")
			}
			if strings.ContainsAny(result.stderr, "\x1b\a\r\u202e") {
				t.Errorf("it acts on the terminal: %q", result.stderr)
			}
			if result.took > soon {
				t.Errorf("it took %s", result.took)
			}
			t.Logf("after %s:\n%s", result.took.Round(time.Second/10), result.stderr)
		})
	}
}

func TestAWebhookThatDeniesIsNamed(t *testing.T) {
	t.Parallel()
	u, _, _ := tagged(t)
	control, address, file := suite.nodes[0], fmt.Sprintf("127.0.0.1:%d", 20000+counter.Add(1)), "/"+u.namespace+".pem"
	engine(t, "cp", suite.webhook, control+":/"+u.namespace)
	engine(t, "exec", "--detach", control, "/"+u.namespace, address, file)
	t.Cleanup(func() { onNode(t, control, "rm", "-f", "/"+u.namespace, file) })
	waitFor(t, "the webhook listens", func() bool { return onNode(t, control, "cat", file) != "" })
	hook := func(resource, groups string) {
		u.apply(fmt.Sprintf(`{apiVersion: admissionregistration.k8s.io/v1, kind: ValidatingWebhookConfiguration, metadata: {name: %[1]s}, webhooks: [{
  name: costs.example.com, admissionReviewVersions: [v1], sideEffects: None, namespaceSelector: {matchLabels: {kubernetes.io/metadata.name: %[1]s}},
  clientConfig: {url: 'https://%[2]s/', caBundle: %[3]s}, rules: [{apiGroups: ['%[4]s'], apiVersions: [v1], operations: [CREATE, UPDATE], resources: [%[5]s]}]}]}`,
			u.namespace, address, base64.StdEncoding.EncodeToString([]byte(onNode(t, control, "cat", file)+"\n")), groups, resource))
	}
	u.deletedAfterwards("validatingwebhookconfiguration", u.namespace)
	u.apply(workload("Deployment", "datastorage", "localhost/none:none", 1))
	const denied = `admission webhook "costs.example.com" denied the request: every team has to name its cost centre`
	hook("pods", "")
	result := u.refused(1, []string{"FailedCreate", denied}, "deploy", "datastorage")
	if result.took > soon {
		t.Errorf("it took %s", result.took)
	}
	hook("deployments", "apps")
	waitFor(t, "deployments are denied", func() bool {
		return u.try(t.Context(), "kubectl", "--namespace", u.namespace, "label", "deployment", "datastorage", "--dry-run=server", "--overwrite", "try=it").code != 0
	})
	u.must("tag", "datastorage", "--source", "localhost/"+u.namespace+":dev", "--consumer", "suite", "--new")
	result = u.refused(1, []string{"patch deployment.apps/datastorage", denied}, "deploy", "datastorage")
	if strings.Contains(result.stderr, "rbac") {
		t.Errorf("it speaks of roles:\n%s", result.stderr)
	}
	u.write("d.yaml", workload("Deployment", "another", "e2eimage://datastorage", 1))
	u.refused(1, []string{"apply deployment.apps/another", denied}, "deploy", "datastorage", "-f", "d.yaml")
}
