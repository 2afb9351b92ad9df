package e2eimage

import (
	"context"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// RefInput is what Ref needs.
type RefInput struct {
	Suite config.Suite
}

// RefResult is what is recorded, in the order of the suite's images.
type RefResult struct {
	Consumer  string `json:"consumer"`
	Namespace string `json:"namespace"`
	Images    []Ref  `json:"images"`
}

// Ref is one recorded image, whole and in its parts.
type Ref struct {
	Name       string       `json:"name"`
	Image      string       `json:"image"`
	Repository string       `json:"repository"`
	Tag        string       `json:"tag"`
	ImageID    string       `json:"imageID"`
	Source     string       `json:"source,omitempty"`
	Recorded   *metav1.Time `json:"recorded,omitempty"`
}

// Ref reads the recorded images: one API call, no look at the nodes.
func (c *Client) Ref(ctx context.Context, in RefInput) (*RefResult, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	consumer, records, err := kube.readRecords(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	result := &RefResult{Consumer: consumer, Namespace: kube.namespace, Images: []Ref{}}
	for _, found := range records {
		if err := found.notReady(consumer); err != nil {
			return nil, err
		}
		repository, tag, err := ociimage.Split(found.Evidence.Image)
		if err != nil {
			return nil, err
		}
		result.Images = append(result.Images, Ref{
			Name: found.Image.Name, Image: found.Evidence.Image, Repository: repository, Tag: tag,
			ImageID: found.Evidence.ImageID, Source: found.Evidence.Source, Recorded: found.Evidence.Recorded,
		})
	}
	return result, nil
}
