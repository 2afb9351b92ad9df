package registry

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

func TestARegistryIsChosen(t *testing.T) {
	t.Parallel()
	kind := &Hosting{Host: "localhost:5001", HostFromContainerRuntime: "kind-registry:5000", HostFromClusterNetwork: "kind-registry:5000", Help: "https://kind.example"}
	same := &Hosting{Host: "localhost:5001"}
	deep := &Hosting{Host: "localhost:5001/dev", HostFromContainerRuntime: "registry:5000/mirror/dev"}
	for _, test := range []struct {
		name, said string
		announced  *Hosting
		want       Choice
	}{
		{"nobody says anything", "", nil, Choice{}},
		{"said before announced", "c.example:443/team/e2e", kind, Choice{Push: "c.example:443/team/e2e", Pull: "c.example:443/team/e2e"}},
		{"cluster, with two hosts", "", kind, Choice{Announced: true, Push: "localhost:5001", Pull: "kind-registry:5000", Help: "https://kind.example"}},
		{"cluster, with one host", "", same, Choice{Announced: true, Push: "localhost:5001", Pull: "localhost:5001"}},
		{"cluster, with paths", "", deep, Choice{Announced: true, Push: "localhost:5001/dev", Pull: "registry:5000/mirror/dev"}},
		{"the announced host, below a path", "localhost:5001/team", kind, Choice{Push: "localhost:5001/team", Pull: "kind-registry:5000/team", Help: "https://kind.example"}},
		{"below the announced path", "localhost:5001/dev/team", deep, Choice{Push: "localhost:5001/dev/team", Pull: "registry:5000/mirror/dev/team"}},
		{"beside the announced path", "localhost:5001/develop", deep, Choice{Push: "localhost:5001/develop", Pull: "localhost:5001/develop"}},
		{"another port of the announced host", "localhost:50011", kind, Choice{Push: "localhost:50011", Pull: "localhost:50011"}},
		{"plain http where it is said", "http://10.0.0.5:5000", nil, Choice{Push: "10.0.0.5:5000", Pull: "10.0.0.5:5000", PlainHTTP: true}},
		{"none, although the cluster announces one", config.NoRegistry, kind, Choice{}},
		{"address of version 6", "[::1]:5000/x", nil, Choice{Push: "[::1]:5000/x", Pull: "[::1]:5000/x"}},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Parallel()
			got, err := Choose(test.said, test.announced)
			if diff := cmp.Diff(test.want, got); err != nil || diff != "" {
				t.Errorf("%v (-want +got):\n%s", err, diff)
			}
			if said := got.Said(); got.Chosen() && !got.Announced && said != test.said {
				t.Errorf("said again it is %s", said)
			}
		})
	}
	if _, err := Choose("https://registry.example", nil); err == nil {
		t.Error("what is no registry is taken for one")
	}
}

func TestNamesAreRightOnBothSides(t *testing.T) {
	t.Parallel()
	choice := Choice{Push: "localhost:5001/dev", Pull: "registry:5000/mirror/dev"}
	for _, test := range []struct{ repository, there, here string }{
		{"localhost/datastorage", "registry:5000/mirror/dev/datastorage", "localhost:5001/dev/datastorage"},
		{"localhost/team/datastorage", "registry:5000/mirror/dev/team/datastorage", "localhost:5001/dev/team/datastorage"},
		{"datastorage", "registry:5000/mirror/dev/datastorage", "localhost:5001/dev/datastorage"},
		{"team/datastorage", "registry:5000/mirror/dev/team/datastorage", "localhost:5001/dev/team/datastorage"},
		{"localhost:5001/dev/datastorage", "registry:5000/mirror/dev/datastorage", "localhost:5001/dev/datastorage"},
		{"registry:5000/mirror/dev/datastorage", "registry:5000/mirror/dev/datastorage", "localhost:5001/dev/datastorage"},
	} {
		there, err := choice.Repository(test.repository)
		here, ok := choice.Here(there + ":suite-1")
		back, returns := choice.There(here)
		if err != nil || there != test.there || !ok || here != test.here+":suite-1" || !returns || back != there+":suite-1" {
			t.Errorf("%s: %s, %s, %s, %v", test.repository, there, here, back, err)
		}
	}
	for _, repository := range []string{"ghcr.io/team/app", "localhost:5002/dev/app", "localhost:5001/develop/app", "localhost:5001/dev", "docker.io/library/postgres", "localhost/app:dev", "localhost/App"} {
		if there, err := choice.Repository(repository); err == nil {
			t.Errorf("%s is taken for %s", repository, there)
		}
	}
	if _, ok := choice.Here("ghcr.io/team/app:1"); ok {
		t.Error("a name of another registry is taken for one of this")
	}
	if choice.Host() != "localhost:5001" || !choice.Chosen() || (Choice{}).Chosen() {
		t.Errorf("its host is %s", choice.Host())
	}
}

func TestWhatAClusterAnnouncesIsRead(t *testing.T) {
	t.Parallel()
	got, err := ParseHosting([]byte("host: \"localhost:5001\"\nhostFromContainerRuntime: \"kind-registry:5000\"\nhelp: \"https://kind.sigs.k8s.io/docs/user/local-registry/\"\nlater: 1\n"))
	want := &Hosting{Host: "localhost:5001", HostFromContainerRuntime: "kind-registry:5000", Help: "https://kind.sigs.k8s.io/docs/user/local-registry/"}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	// minikube and k3d name the container without a port.
	if _, err := ParseHosting([]byte("host: localhost:5001\nhostFromContainerRuntime: k3d-registry\n")); err != nil {
		t.Error(err)
	}
	for _, text := range []string{"", "{", "help: x", "host: http://localhost:5001", "host: localhost:5001\nhostFromContainerRuntime: http://x:5000"} {
		if _, err := ParseHosting([]byte(text)); err == nil || !strings.Contains(err.Error(), "kube-public/local-registry-hosting") {
			t.Errorf("%q: %v", text, err)
		}
	}
}
