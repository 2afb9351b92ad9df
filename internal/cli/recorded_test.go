package cli

import (
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/e2eimage"
)

const (
	imageID  = "sha256:1111111111111111111111111111111111111111111111111111111111111111"
	otherID  = "sha256:2222222222222222222222222222222222222222222222222222222222222222"
	noonText = "2026-01-02T12:00:00Z"

	twoImagesFile = "apiVersion: e2eimage.dev/v1alpha1\nkind: Config\nimages: [{name: datastorage}, {name: gateway}]\n"
)

func noon() *metav1.Time {
	at := metav1.NewTime(time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC))
	return &at
}

func refOf(name, repository, tag, id, source string) e2eimage.Ref {
	return e2eimage.Ref{
		Name: name, Image: repository + ":" + tag, Repository: repository, Tag: tag,
		ImageID: id, Source: source, Recorded: noon(),
	}
}

func recordedOne() *e2eimage.Images {
	return &e2eimage.Images{Consumer: "suite", Namespace: "tests", Images: []e2eimage.Ref{
		refOf("datastorage", "localhost/datastorage", "suite-a1b2c3d4", imageID, "localhost:5000/storage:e2e"),
	}}
}

func recordedTwo() *e2eimage.Images {
	return &e2eimage.Images{Consumer: "suite", Namespace: "tests", Images: []e2eimage.Ref{
		refOf("datastorage", "localhost/datastorage", "suite-1", imageID, "localhost/storage:e2e"),
		refOf("gateway", "localhost/gateway", "suite-2", otherID, "docker-archive:/out/gateway.tar"),
	}}
}
