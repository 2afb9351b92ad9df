package e2eimage

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"maps"
	"math/big"
	"strings"
	"testing"

	corev1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/genericclioptions"
	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode/kindnodetest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

const (
	namespace = "tests"
	source    = "localhost/datastorage:dev"
	imageID   = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	thirdID   = "sha256:3333333333333333333333333333333333333333333333333333333333333333"
	otherID   = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
)

// The calls to a node that each verb makes once for each image.
const (
	asks    = "ImageService/ListImages"
	adds    = "Images/Create"
	removes = "Images/Delete"
)

// bench is a Kind cluster "dev" of three nodes with its API server.
type bench struct {
	t       *testing.T
	cluster *kindnodetest.Cluster
	api     *kubetest.API
	kube    clientcmdapi.Cluster
}

// newBench returns a cluster whose nodes have the source.
func newBench(t *testing.T) *bench {
	t.Helper()
	ca := newCA(t)
	b := &bench{
		t: t, kube: clientcmdapi.Cluster{Server: "https://127.0.0.1:6443", CertificateAuthorityData: ca},
		cluster: kindnodetest.New("dev", ca, "dev-control-plane", "dev-worker", "dev-worker2"),
	}
	b.api = kubetest.New(b.cluster)
	b.cluster.Load(source, imageID)
	return b
}

// client returns a client as another process would have it.
func (b *bench) client() *Client {
	b.t.Helper()
	kubeconfig := clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{"c": &b.kube},
		Contexts:       map[string]*clientcmdapi.Context{"kind-dev": {Cluster: "c", Namespace: namespace}},
		CurrentContext: "kind-dev",
	}
	loader := clientcmd.NewDefaultClientConfig(kubeconfig, &clientcmd.ConfigOverrides{})
	client, err := New(Options{Kube: genericclioptions.NewTestConfigFlags().WithClientConfig(loader)})
	if err != nil {
		b.t.Fatal(err)
	}
	client.runner = b.cluster
	client.connect = func(*rest.Config) (kube.API, error) { return b.api, nil }
	return client
}

// suite is what config.Resolve makes of names.
func suite(consumer string, names ...string) config.Suite {
	s := config.Suite{Consumer: consumer, KeepPrevious: config.DefaultKeepPrevious}
	for _, name := range names {
		s.Images = append(s.Images, config.Image{Name: name, Source: "localhost/" + name + ":dev", TagTemplate: config.DefaultTagTemplate})
	}
	return s
}

// tagged tags datastorage for the consumer and returns the recorded image.
func (b *bench) tagged(consumer string) string {
	b.t.Helper()
	result, err := b.client().Tag(b.t.Context(), TagInput{Suite: suite(consumer, "datastorage")})
	if err != nil {
		b.t.Fatal(err)
	}
	return result.Images[0].Image
}

// records are the annotations of a consumer's ConfigMap, by image name.
func (b *bench) records(consumer string) map[string]string {
	b.t.Helper()
	found := map[string]string{}
	configMap := b.configMap(consumer)
	if configMap == nil {
		return found
	}
	for key, value := range configMap.Annotations {
		if name, ok := strings.CutPrefix(key, "image.e2eimage.dev/"); ok {
			found[name] = value
		}
	}
	return found
}

func (b *bench) configMap(consumer string) *corev1.ConfigMap {
	b.t.Helper()
	configMap, err := b.api.CoreV1().ConfigMaps(namespace).Get(b.t.Context(), "e2eimage-"+consumer, metav1.GetOptions{})
	if apierrors.IsNotFound(err) {
		return nil
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return configMap
}

// writes are the calls of the API that change something, as "create configmaps".
func (b *bench) writes() []string {
	var writes []string
	for _, action := range b.api.Actions() {
		switch action.GetVerb() {
		case "get", "list", "watch":
		default:
			writes = append(writes, action.GetVerb()+" "+action.GetResource().Resource)
		}
	}
	return writes
}

// everywhere is how a recorded image stands on all nodes.
func everywhere(image, owner string) []string {
	return []string{"dev-control-plane " + image + " " + owner, "dev-worker " + image + " " + owner, "dev-worker2 " + image + " " + owner}
}

// says wants an error that says all the words.
func says(t *testing.T, err error, words ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	for _, word := range words {
		if !strings.Contains(err.Error(), word) {
			t.Errorf("the error does not say %q:\n%v", word, err)
		}
	}
}

// is wants an error of the type E that says all the words.
func is[E error](t *testing.T, err error, words ...string) {
	t.Helper()
	says(t, err, words...)
	if !as[E](err) {
		t.Errorf("a plain error, want %T: %v", *new(E), err)
	}
}

func newCA(t *testing.T) []byte {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{SerialNumber: big.NewInt(1), IsCA: true, BasicConstraintsValid: true}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		t.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
}

// imagesOn are the names → image IDs of a node.
func (b *bench) imagesOn(node string) map[string]string {
	var names map[string]string
	b.cluster.Change(func(n *kindnodetest.Node) { names = maps.Clone(n.Images) }, node)
	return names
}

// container is one that runs an image on a node, or did.
func container(image, id string, exited bool) kindnode.Container {
	return kindnode.Container{ID: "c-" + image, ImageRef: id, Image: image, Exited: exited, Namespace: namespace, Pod: "storage-0"}
}

var errBroken = errors.New("no space left on device")
