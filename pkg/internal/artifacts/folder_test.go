package artifacts

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"
)

func create(t *testing.T) *Folder {
	t.Helper()
	folder, err := Create(t.TempDir(), "suite")
	if err != nil {
		t.Fatal(err)
	}
	return folder
}

func (f *Folder) read(t *testing.T, path string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join(f.Path, path))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestEachFolderIsANewOne(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "not", "there")
	for _, want := range []string{"suite", "suite-2", "suite-3"} {
		folder, err := Create(dir, "suite")
		if err != nil || filepath.Base(folder.Path) != want {
			t.Fatalf("got %v, %v; want %s", folder, err, want)
		}
		folder.Text("summary.txt", want)
	}
	first, err := os.ReadFile(filepath.Join(dir, "suite", "summary.txt"))
	if string(first) != "suite" {
		t.Errorf("the first has %q, %v", first, err)
	}
	if _, err := Create(filepath.Join(dir, "suite", "summary.txt"), "x"); err == nil {
		t.Error("a folder in a file: no error")
	}
}

func TestAPodStaysYAMLWithoutItsSecrets(t *testing.T) {
	t.Parallel()
	pod := &corev1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: "app", Annotations: map[string]string{
			"note": "password: hunter2hunter2", "kubectl.kubernetes.io/last-applied": `{"env":[{"name":"DB_PASSWORD","value":"hunter2hunter2"}]}`,
		}},
		Spec: corev1.PodSpec{
			AutomountServiceAccountToken: new(true), ServiceAccountName: "app",
			Containers: []corev1.Container{{
				Name: "app", Image: "localhost/app:1", Args: []string{"--password=hunter2hunter2", "--password", "hunter2hunter2", "ghp_0123456789abcdefghijABCDEFGHIJ012345"},
				Env: []corev1.EnvVar{{Name: "DB_PASSWORD", Value: "hunter2hunter2"}, {Name: "PLAIN", Value: "shown"}, {
					Name:      "API_TOKEN",
					ValueFrom: &corev1.EnvVarSource{SecretKeyRef: &corev1.SecretKeySelector{Key: "token", LocalObjectReference: corev1.LocalObjectReference{Name: "api"}}},
				}},
			}},
			Volumes: []corev1.Volume{{Name: "key", VolumeSource: corev1.VolumeSource{Secret: &corev1.SecretVolumeSource{SecretName: "api"}}}},
		},
	}
	folder := create(t)
	folder.YAML("pods/app.yaml", pod)
	folder.JSON("pods/app.json", pod)
	for _, file := range []string{"pods/app.yaml", "pods/app.json"} {
		text := folder.read(t, file)
		var read map[string]any
		if err := yaml.Unmarshal([]byte(text), &read); err != nil {
			t.Errorf("%s: %v in\n%s", file, err, text)
		}
		if strings.Contains(text, "hunter2") || strings.Contains(text, "ghp_0") || !strings.Contains(text, "***") || !strings.Contains(text, "shown") {
			t.Errorf("%s has\n%s", file, text)
		}
	}
	if err := json.Unmarshal([]byte(folder.read(t, "pods/app.json")), new(any)); err != nil {
		t.Error(err)
	}
	if lacking := folder.Lacking(); len(lacking) > 0 {
		t.Errorf("it lacks %v", lacking)
	}
}

func TestWhatIsTooMuchIsNamed(t *testing.T) {
	t.Parallel()
	folder := create(t)
	folder.Text("big.log", strings.Repeat("x", maxFile)+"\nend")
	if text := folder.read(t, "big.log"); len(text) != maxFile || !strings.HasSuffix(text, "\nend") {
		t.Errorf("it has %d bytes", len(text))
	}
	folder.written = maxBytes
	folder.Text("more.log", "x")
	folder.Lack("events", errors.New("token: hunter2hunter2"))
	want := []Missing{
		{"big.log", "only its end is there: it has 4 MiB"}, {"events", "token: ***"}, {"more.log", "the folder has 64 MiB already"},
	}
	if got := folder.Lacking(); !slices.Equal(got, want) {
		t.Errorf("it lacks %v, want %v", got, want)
	}
	if got := folder.Files(); !slices.Equal(got, []string{"big.log"}) {
		t.Errorf("it has %v", got)
	}
}
