package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestAFailedDeployLeavesWhatExplainsIt(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.image(u.source())
	u.write("e2eimage.yaml", configHead+"consumer: "+u.namespace+"\nimages:\n- {name: datastorage, source: '"+u.source()+"', repository: 'localhost/"+u.namespace+"-tagged'}\n")
	image := u.must("tag")
	const secret = "hunter2-of-nobody"
	// The service does not know this flag, and says so.
	u.apply(strings.Replace(workload("Deployment", "datastorage", "localhost/none:none", 1), "imagePullPolicy: Never",
		"imagePullPolicy: Never\n        args: ['-no-such-flag']\n        env: [{name: DB_PASSWORD, value: "+secret+"}]", 1))
	u.write("kept/mine", "mine")
	for i := 1; i <= 2; i++ {
		result := u.e2eimage("deploy", "--artifacts", "kept", "--max-restarts", "1")
		if result.code != 1 || strings.Count(result.stderr, "What explains it is in ") != 1 {
			t.Fatalf("exit %d: %s", result.code, result.stderr)
		}
		if folders, err := filepath.Glob(filepath.Join(u.dir, "kept", u.namespace+"-*")); err != nil || len(folders) != i {
			t.Fatalf("%v, %v, want %d", folders, err, i)
		}
	}
	if got, err := os.ReadFile(filepath.Join(u.dir, "kept", "mine")); err != nil || string(got) != "mine" {
		t.Errorf("what was there is %q, %v", got, err)
	}
	folders, _ := filepath.Glob(filepath.Join(u.dir, "kept", u.namespace+"-*"))
	pod := u.kubectl("get", "pods", "-o", "jsonpath={.items[0].metadata.name}")
	pods := "namespaces/" + u.namespace + "/pods/"
	said := map[string][]string{
		"summary.txt":                       {"CrashLoopBackOff", pods + pod + ".yaml"},
		"e2eimage-" + u.namespace + ".yaml": {image, "kind: ConfigMap"},
		u.namespace + ".lock.yaml":          {image},
		"status.txt":                        {image},
		"namespaces/" + u.namespace + "/deployment-datastorage.yaml": {image, "DB_PASSWORD"},
		"namespaces/" + u.namespace + "/events.txt":                  {"pod/" + pod},
		pods + pod + ".yaml":            {"kind: Pod", "DB_PASSWORD"},
		pods + pod + ".txt":             {"exit code", "restarts"},
		pods + pod + "/datastorage.log": {"flag provided but not defined: -no-such-flag"},
		"versions.json":                 {suite.provider},
	}
	for _, node := range suite.nodes {
		said["nodes/"+node+"/images.json"] = []string{image, u.lock(u.namespace)["datastorage"].ImageID}
		said["nodes/"+node+"/node.yaml"] = []string{"kubeletVersion"}
	}
	for file, words := range said {
		text, err := os.ReadFile(filepath.Join(folders[0], file))
		if err != nil || strings.Contains(string(text), secret) {
			t.Errorf("%s: %v, or it has the secret", file, err)
		}
		for _, word := range words {
			if !strings.Contains(string(text), word) {
				t.Errorf("%s does not say %q:\n%s", file, word, text)
			}
		}
	}
	// The kubelet may have taken the log of the container before away; then that is said.
	summary, err := os.ReadFile(filepath.Join(folders[0], "summary.txt"))
	if logs, _ := filepath.Glob(filepath.Join(folders[0], pods, pod, "*.previous.log")); len(logs) != 1 && !strings.Contains(string(summary), ".previous.log: the log is gone") {
		t.Errorf("logs of before: %v, %v:\n%s", logs, err, summary)
	}
	var status struct{ Images []struct{ Name string } }
	text, err := os.ReadFile(filepath.Join(folders[0], "status.json"))
	if err == nil {
		err = json.Unmarshal(text, &status)
	}
	if err != nil || len(status.Images) != 1 {
		t.Errorf("status.json: %v: %s", err, text)
	}
}
