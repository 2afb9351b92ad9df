package kube

import (
	"net/http"

	appsv1client "k8s.io/client-go/kubernetes/typed/apps/v1"
	batchv1client "k8s.io/client-go/kubernetes/typed/batch/v1"
	corev1client "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/rest"
)

// API is the part of client-go's Clientset that this product uses. The whole of it has
// the clients of 50 API groups: half of the binary, and of the time to compile it.
type API interface {
	CoreV1() corev1client.CoreV1Interface
	AppsV1() appsv1client.AppsV1Interface
	BatchV1() batchv1client.BatchV1Interface
}

type clients struct {
	core  *corev1client.CoreV1Client
	apps  *appsv1client.AppsV1Client
	batch *batchv1client.BatchV1Client
}

var _ API = clients{}

// NewAPI returns the clients of one API server. They share their connections.
func NewAPI(config *rest.Config) (API, error) {
	client, err := rest.HTTPClientFor(config)
	if err != nil {
		return nil, err
	}
	return newClients(config, client)
}

func newClients(config *rest.Config, client *http.Client) (c clients, err error) {
	if c.core, err = corev1client.NewForConfigAndClient(config, client); err != nil {
		return c, err
	}
	if c.apps, err = appsv1client.NewForConfigAndClient(config, client); err != nil {
		return c, err
	}
	c.batch, err = batchv1client.NewForConfigAndClient(config, client)
	return c, err
}

// CoreV1 implements API.
func (c clients) CoreV1() corev1client.CoreV1Interface { return c.core }

// AppsV1 implements API.
func (c clients) AppsV1() appsv1client.AppsV1Interface { return c.apps }

// BatchV1 implements API.
func (c clients) BatchV1() batchv1client.BatchV1Interface { return c.batch }
