package e2eimage

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	corev1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
)

// rootCA publishes a CA as the API server does in every namespace.
func (b *bench) rootCA(ca []byte) {
	b.t.Helper()
	configMap := &corev1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: "kube-root-ca.crt", Namespace: namespace}, Data: map[string]string{"ca.crt": string(ca)},
	}
	if err := b.api.Tracker().Add(configMap); err != nil {
		b.t.Fatal(err)
	}
}

func TestNodesOfAnotherClusterAreNotTouched(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*bench){
		"tag": func(b *bench) {
			_, err := b.client().Tag(b.t.Context(), TagInput{Suite: suite("suite", "datastorage")})
			is[*InconsistentError](b.t, err, "https://127.0.0.1:6443", `Kind cluster "dev" on podman`, "--kind-cluster", "--provider")
		},
		"clean": func(b *bench) {
			_, err := b.client().Clean(b.t.Context(), CleanInput{Suite: suite("suite", "datastorage")})
			is[*InconsistentError](b.t, err, "does not belong to Kind cluster")
		},
		"deploy": func(b *bench) {
			_, err := b.client().Deploy(b.t.Context(), DeployInput{Suite: suite("suite", "datastorage")})
			is[*InconsistentError](b.t, err, "does not belong to Kind cluster")
		},
	}
	for verb, run := range tests {
		t.Run(verb, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			b.tagged("suite")
			b.api.ClearActions()
			b.kube.CertificateAuthorityData = newCA(t)
			run(b)
			if b.cluster.Count(adds) != 3 || b.cluster.Count(removes) > 0 || len(b.writes()) > 0 {
				t.Errorf("nodes %v, API %v", b.cluster.Calls(), b.writes())
			}
		})
	}
}

func TestOneNodeOfAnotherClusterIsEnoughToStop(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	stranger := newCA(t)
	b.cluster.Change(func(n *kindnodetest.Node) { n.CA = stranger }, "dev-worker")
	_, err := b.tag(asIs)
	is[*InconsistentError](t, err, "node dev-worker has another certificate authority")
}

func TestTheCertificateAuthorityIsFoundWhereTheKubeconfigHasIt(t *testing.T) {
	t.Parallel()
	tests := map[string]func(*testing.T, *bench, []byte){
		"in a file": func(t *testing.T, b *bench, ca []byte) {
			path := filepath.Join(t.TempDir(), "ca.crt")
			if err := os.WriteFile(path, ca, 0o600); err != nil {
				t.Fatal(err)
			}
			b.kube.CertificateAuthorityData, b.kube.CertificateAuthority = nil, path
		},
		"in a bundle with others": func(t *testing.T, b *bench, ca []byte) {
			b.kube.CertificateAuthorityData = append(newCA(t), ca...)
		},
		"nowhere, but the API server publishes it": func(_ *testing.T, b *bench, ca []byte) {
			b.kube.CertificateAuthorityData, b.kube.InsecureSkipTLSVerify = nil, true
			b.rootCA(ca)
		},
		"a proxy's, and the API server publishes its own": func(t *testing.T, b *bench, ca []byte) {
			b.kube.CertificateAuthorityData = newCA(t)
			b.rootCA(ca)
		},
	}
	for name, arrange := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBench(t)
			arrange(t, b, b.kube.CertificateAuthorityData)
			if _, err := b.tag(asIs); err != nil {
				t.Error(err)
			}
		})
	}
}

func TestWithoutAnyCertificateAuthorityNothingIsTouched(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.kube.CertificateAuthorityData, b.kube.InsecureSkipTLSVerify = nil, true
	_, err := b.tag(asIs)
	is[*InconsistentError](t, err, "another certificate authority")
}

func TestAnAPIServerThatDoesNotAnswerIsNotCalledAnothers(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	b.kube.CertificateAuthorityData, b.kube.InsecureSkipTLSVerify = nil, true
	b.api.PrependReactor("get", "configmaps", func(action clienttesting.Action) (bool, runtime.Object, error) {
		return action.(clienttesting.GetAction).GetName() == "kube-root-ca.crt", nil, errors.New("connection refused")
	})
	_, err := b.tag(asIs)
	says(t, err, "connection refused", "cannot tell whether")
	if as[*InconsistentError](err) {
		t.Errorf("it is called another cluster's: %v", err)
	}
}

func TestTheKindClusterIsFoundOrAskedFor(t *testing.T) {
	t.Parallel()
	b := newBench(t)
	client := b.client()
	client.options.Context = "production"
	if _, err := client.Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")}); err != nil {
		t.Errorf("the nodes have the API server's certificate authority: %v", err)
	}

	other := *b
	other.kube.CertificateAuthorityData = newCA(t)
	stranger := other.client()
	stranger.options.Context = "production"
	_, err := stranger.Tag(t.Context(), TagInput{Suite: suite("suite", "datastorage")})
	is[*UsageError](t, err, `The kube context is "production"`, "--kind-cluster")

	s := suite("suite", "datastorage")
	s.KindCluster = "dev"
	if _, err := client.Tag(t.Context(), TagInput{Suite: s}); err != nil {
		t.Error(err)
	}
	s.KindCluster = "none"
	_, err = client.Tag(t.Context(), TagInput{Suite: s})
	says(t, err, `no Kind cluster "none"`, "dev (podman)")
}
