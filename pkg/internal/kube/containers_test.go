package kube_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

func TestAssign(t *testing.T) {
	t.Parallel()
	notification := kube.Image{Name: "notification", Image: "localhost/notification:wf-new"}
	with := func(edit func(*kube.Image)) kube.Image {
		image := kubetest.Datastorage()
		edit(&image)
		return image
	}
	tests := []struct {
		name   string
		images []kube.Image
		inits  []corev1.Container
		has    []corev1.Container
		want   string
		wrong  string
	}{
		{
			name: "the recorded repository in an older tag", images: []kube.Image{kubetest.Datastorage()},
			has: []corev1.Container{kubetest.Container("server", kubetest.OldImage), kubetest.Container("sidecar", "localhost/proxy:1")}, want: "server=datastorage",
		},
		{
			name: "init containers too", images: []kube.Image{kubetest.Datastorage()},
			inits: []corev1.Container{kubetest.Container("migrate", kubetest.OldImage)}, has: []corev1.Container{kubetest.Container("server", kubetest.OldImage), kubetest.Container("x", "y")},
			want: "migrate=datastorage(init) server=datastorage",
		},
		{
			name: "an alias in another tag", images: []kube.Image{with(func(i *kube.Image) { i.Aliases = []string{"localhost/kubernaut-datastorage:e2e"} })},
			has: []corev1.Container{kubetest.Container("a", "localhost/kubernaut-datastorage:latest"), kubetest.Container("b", "localhost/other")}, want: "a=datastorage",
		},
		{
			name: "a bare repository as alias, without tag or domain", images: []kube.Image{with(func(i *kube.Image) { i.Aliases = []string{"datastorage"} })},
			has: []corev1.Container{kubetest.Container("a", "docker.io/library/datastorage:1"), kubetest.Container("b", "localhost/other")}, want: "a=datastorage",
		},
		{
			name: "the only container, whatever it runs", images: []kube.Image{kubetest.Datastorage()},
			inits: []corev1.Container{kubetest.Container("wait", "busybox")}, has: []corev1.Container{kubetest.Container("app", "placeholder")}, want: "app=datastorage",
		},
		{
			name: "explicit containers, whatever they run", images: []kube.Image{with(func(i *kube.Image) { i.Containers = []string{"b"} })},
			has: []corev1.Container{kubetest.Container("a", kubetest.OldImage), kubetest.Container("b", "x")}, want: "b=datastorage",
		},
		{
			name: "none of several", images: []kube.Image{kubetest.Datastorage()},
			has:   []corev1.Container{kubetest.Container("a", "localhost/x:1"), kubetest.Container("b", "localhost/y:2")},
			wrong: "datastorage: which container runs it? There are a (localhost/x:1), b (localhost/y:2); say which with --container",
		},
		{
			name: "an explicit container that is not there", images: []kube.Image{with(func(i *kube.Image) { i.Containers = []string{"b", "c"} })},
			has: []corev1.Container{kubetest.Container("a", kubetest.OldImage)}, wrong: `datastorage: it has no container "b", "c"; there are a (` + kubetest.OldImage + ")",
		},
		{
			name: "two images in one workload", images: []kube.Image{kubetest.Datastorage(), notification},
			has: []corev1.Container{kubetest.Container("n", "localhost/notification:1"), kubetest.Container("d", kubetest.OldImage)}, want: "n=notification d=datastorage",
		},
		{
			name: "two images that share a repository go by their tags",
			images: []kube.Image{
				with(func(i *kube.Image) { i.Aliases = []string{"localhost/mono:datastorage"} }),
				{Name: "notification", Image: "localhost/notification:wf-new", Aliases: []string{"localhost/mono:notification"}},
			},
			has:  []corev1.Container{kubetest.Container("d", "localhost/mono:datastorage"), kubetest.Container("n", "localhost/mono:notification")},
			want: "d=datastorage n=notification",
		},
		{
			name: "two images for the only container", images: []kube.Image{kubetest.Datastorage(), notification},
			has: []corev1.Container{kubetest.Container("app", "x")}, wrong: "container app (x) cannot be both datastorage and notification",
		},
		{
			name: "all mistakes at once", images: []kube.Image{kubetest.Datastorage(), with(func(i *kube.Image) { i.Name, i.Containers = "other", []string{"z"} })},
			has: []corev1.Container{kubetest.Container("a", "x"), kubetest.Container("b", "y")}, wrong: "datastorage: which container",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := kube.Assign(test.images, &corev1.PodSpec{InitContainers: test.inits, Containers: test.has})
			if test.wrong != "" {
				if err == nil || !strings.Contains(err.Error(), test.wrong) {
					t.Fatalf("error is %v, want %s", err, test.wrong)
				}
				if test.name == "all mistakes at once" && !strings.Contains(err.Error(), `other: it has no container "z"`) {
					t.Errorf("the second mistake is missing: %v", err)
				}
				return
			}
			if err != nil {
				t.Fatal(err)
			}
			var names []string
			for _, a := range got {
				text := a.Container.Name + "=" + a.Image.Name
				if a.Init {
					text += "(init)"
				}
				names = append(names, text)
			}
			if diff := cmp.Diff(test.want, strings.Join(names, " ")); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestThePullPolicy(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		name              string
		has, wanted, want corev1.PullPolicy
	}{
		{"is kept", corev1.PullIfNotPresent, "", corev1.PullIfNotPresent},
		{"becomes Never when it would bypass the node", corev1.PullAlways, "", corev1.PullNever},
		{"is what was asked for", corev1.PullAlways, corev1.PullIfNotPresent, corev1.PullIfNotPresent},
		{"is set although it would do", corev1.PullIfNotPresent, corev1.PullNever, corev1.PullNever},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			a := kube.Assignment{Container: corev1.Container{ImagePullPolicy: test.has}, Image: kube.Image{PullPolicy: string(test.wanted)}}
			if got := a.PullPolicy(); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
