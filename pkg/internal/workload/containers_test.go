package workload

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	corev1 "k8s.io/api/core/v1"
)

func TestAssign(t *testing.T) {
	t.Parallel()
	notification := Image{Name: "notification", Image: "localhost/notification:wf-new"}
	with := func(edit func(*Image)) Image {
		image := datastorage()
		edit(&image)
		return image
	}
	tests := []struct {
		name   string
		images []Image
		inits  []corev1.Container
		has    []corev1.Container
		want   string
		wrong  string
	}{
		{
			name: "the recorded repository in an older tag", images: []Image{datastorage()},
			has: []corev1.Container{container("server", oldImage), container("sidecar", "localhost/proxy:1")}, want: "server=datastorage",
		},
		{
			name: "init containers too", images: []Image{datastorage()},
			inits: []corev1.Container{container("migrate", oldImage)}, has: []corev1.Container{container("server", oldImage), container("x", "y")},
			want: "migrate=datastorage(init) server=datastorage",
		},
		{
			name: "an alias in another tag", images: []Image{with(func(i *Image) { i.Aliases = []string{"localhost/kubernaut-datastorage:e2e"} })},
			has: []corev1.Container{container("a", "localhost/kubernaut-datastorage:latest"), container("b", "localhost/other")}, want: "a=datastorage",
		},
		{
			name: "a bare repository as alias, without tag or domain", images: []Image{with(func(i *Image) { i.Aliases = []string{"datastorage"} })},
			has: []corev1.Container{container("a", "docker.io/library/datastorage:1"), container("b", "localhost/other")}, want: "a=datastorage",
		},
		{
			name: "the only container, whatever it runs", images: []Image{datastorage()},
			inits: []corev1.Container{container("wait", "busybox")}, has: []corev1.Container{container("app", "placeholder")}, want: "app=datastorage",
		},
		{
			name: "explicit containers, whatever they run", images: []Image{with(func(i *Image) { i.Containers = []string{"b"} })},
			has: []corev1.Container{container("a", oldImage), container("b", "x")}, want: "b=datastorage",
		},
		{
			name: "none of several", images: []Image{datastorage()},
			has:   []corev1.Container{container("a", "localhost/x:1"), container("b", "localhost/y:2")},
			wrong: "datastorage: which container runs it? There are a (localhost/x:1), b (localhost/y:2); say which with --container",
		},
		{
			name: "an explicit container that is not there", images: []Image{with(func(i *Image) { i.Containers = []string{"b", "c"} })},
			has: []corev1.Container{container("a", oldImage)}, wrong: `datastorage: it has no container "b", "c"; there are a (` + oldImage + ")",
		},
		{
			name: "two images in one workload", images: []Image{datastorage(), notification},
			has: []corev1.Container{container("n", "localhost/notification:1"), container("d", oldImage)}, want: "n=notification d=datastorage",
		},
		{
			name: "two images that share a repository go by their tags",
			images: []Image{
				with(func(i *Image) { i.Aliases = []string{"localhost/mono:datastorage"} }),
				{Name: "notification", Image: "localhost/notification:wf-new", Aliases: []string{"localhost/mono:notification"}},
			},
			has:  []corev1.Container{container("d", "localhost/mono:datastorage"), container("n", "localhost/mono:notification")},
			want: "d=datastorage n=notification",
		},
		{
			name: "two images for the only container", images: []Image{datastorage(), notification},
			has: []corev1.Container{container("app", "x")}, wrong: "container app (x) cannot be both datastorage and notification",
		},
		{
			name: "all mistakes at once", images: []Image{datastorage(), with(func(i *Image) { i.Name, i.Containers = "other", []string{"z"} })},
			has: []corev1.Container{container("a", "x"), container("b", "y")}, wrong: "datastorage: which container",
		},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := assign(test.images, &corev1.PodSpec{InitContainers: test.inits, Containers: test.has})
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
				text := a.container.Name + "=" + a.image.Name
				if a.init {
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
			a := assignment{container: corev1.Container{ImagePullPolicy: test.has}, image: Image{PullPolicy: string(test.wanted)}}
			if got := a.policy(); got != test.want {
				t.Errorf("%s, want %s", got, test.want)
			}
		})
	}
}
