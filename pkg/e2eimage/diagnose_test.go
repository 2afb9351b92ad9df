package e2eimage

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

// explained runs Diagnose into a new folder.
func (b *bench) explained(in DiagnoseInput) (*DiagnoseResult, func(file string) string) {
	b.t.Helper()
	if in.Dir == "" {
		in.Dir = b.t.TempDir()
	}
	result, err := b.client().Diagnose(b.t.Context(), in)
	if err != nil {
		b.t.Fatal(err)
	}
	return result, func(file string) string {
		b.t.Helper()
		text, err := os.ReadFile(filepath.Join(result.Dir, file))
		if err != nil {
			b.t.Fatal(err)
		}
		return string(text)
	}
}

func TestAFolderHasWhatExplainsAFailure(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	recorded := b.tagged("suite")
	b.deployment("datastorage", recorded)
	b.deployment("besides", "localhost/other:1")
	about := metav1.ObjectMeta{Namespace: namespace, Name: "note"}
	if err := b.api.Tracker().Create(corev1.SchemeGroupVersion.WithResource("events"), &corev1.Event{
		ObjectMeta: about, Reason: "Failed", Message: "password=hunter2hunter2 is wrong",
		InvolvedObject: corev1.ObjectReference{Kind: "Pod", Name: "datastorage-x"},
	}, namespace); err != nil {
		t.Fatal(err)
	}
	in := suite("suite", "datastorage")
	in.LockDir = t.TempDir()
	if err := os.WriteFile(in.LockFile("suite"), []byte("kind: Lock\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	result, read := b.explained(DiagnoseInput{Suite: in, Failure: errors.New("it did not work")})
	for file, words := range map[string][]string{
		"summary.txt":                 {"it did not work", "namespaces/tests/deployment-datastorage.yaml", "consumer   suite"},
		"e2eimage-suite.yaml":         {"kind: ConfigMap", "image.e2eimage.dev/datastorage: " + recorded},
		"suite.lock.yaml":             {"kind: Lock"},
		"status.txt":                  {"datastorage", recorded, "3/3"},
		"namespaces/tests/events.txt": {"Failed pod/datastorage-x: password=*** is wrong"},
		"namespaces/tests/deployment-datastorage.yaml": {"apiVersion: apps/v1", "kind: Deployment", recorded},
		"nodes/dev-worker/images.json":                 {imageID, recorded},
		"nodes/dev-worker/containers.json":             {},
		"versions.json":                                {`"goVersion"`},
	} {
		for _, word := range words {
			if text := read(file); !strings.Contains(text, word) {
				t.Errorf("%s does not say %q:\n%s", file, word, text)
			}
		}
	}
	var status StatusResult
	if err := json.Unmarshal([]byte(read("status.json")), &status); err != nil || len(status.Images) != 1 {
		t.Errorf("status.json: %v, %+v", err, status)
	}
	var pods []string
	for _, file := range result.Files {
		if strings.HasPrefix(file, "namespaces/tests/pods/datastorage-") {
			pods = append(pods, filepath.Ext(file))
		}
		if strings.Contains(file, "besides") {
			t.Errorf("it has %s, which is not the suite's", file)
		}
	}
	if slices.Sort(pods); !slices.Equal(pods, []string{".log", ".txt", ".yaml"}) {
		t.Errorf("of the pod it has %v in %v", pods, result.Files)
	}
	for _, missing := range result.Missing {
		// The fake cluster has no engine of this host.
		if !strings.HasPrefix(missing.Part, "version of ") {
			t.Errorf("it lacks %+v", missing)
		}
	}
}

func TestAFailureIsExplainedAfterItsContextEnded(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	result, err := b.client().Diagnose(ctx, DiagnoseInput{Suite: suite("suite", "datastorage"), Dir: t.TempDir()})
	if err != nil || !slices.Contains(result.Files, "status.json") || !slices.Contains(result.Files, "nodes/dev-worker/images.json") {
		t.Errorf("%+v, %v", result, err)
	}
}

func TestEachFailureHasAFolderOfItsOwn(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.tagged("suite")
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "mine"), nil, 0o600); err != nil {
		t.Fatal(err)
	}
	in := DiagnoseInput{Suite: suite("suite", "datastorage"), Dir: dir}
	first, _ := b.explained(in)
	second, _ := b.explained(in)
	if entries, err := os.ReadDir(dir); err != nil || len(entries) != 3 || first.Dir == second.Dir {
		t.Errorf("%s, %s: %v, %v", first.Dir, second.Dir, entries, err)
	}
}

func TestWhatCannotBeHadIsNamedAndTheRestIsThere(t *testing.T) {
	t.Parallel()
	for name, test := range map[string]struct {
		change  func(b *bench, in *DiagnoseInput)
		missing []string
		there   string
	}{
		"no API server": {func(b *bench, _ *DiagnoseInput) {
			b.api.PrependReactor("*", "*", func(clienttesting.Action) (bool, runtime.Object, error) {
				return true, nil, errors.New("connection refused")
			})
		}, []string{"record", "status", "workloads", "versions of the nodes", "events of namespace tests"}, "nodes/dev-worker/images.json"},
		"no cluster": {func(_ *bench, in *DiagnoseInput) { in.Suite.KindCluster = "gone" }, []string{"nodes", "status"}, "e2eimage-suite.yaml"},
		"no time":    {func(_ *bench, in *DiagnoseInput) { in.Timeout = 1 }, []string{"nodes", "status"}, "summary.txt"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			in := DiagnoseInput{Suite: suite("suite", "datastorage")}
			test.change(b, &in)
			result, read := b.explained(in)
			if !slices.Contains(result.Files, test.there) {
				t.Errorf("it has %v", result.Files)
			}
			for _, part := range test.missing {
				if !slices.ContainsFunc(result.Missing, func(m MissingPart) bool { return m.Part == part }) || !strings.Contains(read("summary.txt"), part+": ") {
					t.Errorf("%s is not said to be missing: %+v", part, result.Missing)
				}
			}
		})
	}
}

func TestAFolderThatCannotBeMadeIsAnError(t *testing.T) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err := newBench(t).client().Diagnose(t.Context(), DiagnoseInput{Suite: suite("suite", "datastorage"), Dir: file})
	says(t, err, "cannot make the folder", file)
	_, err = newBench(t).client().Diagnose(t.Context(), DiagnoseInput{Suite: suite("Suite", "datastorage"), Timeout: -1})
	is[*UsageError](t, err, "Suite.Consumer", "Dir is empty", "Timeout -1ns")
}
