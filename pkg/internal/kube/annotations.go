package kube

import (
	"maps"
	"strings"
)

// Marks on workloads.
const (
	// ConsumerAnnotation says whose workload it is.
	ConsumerAnnotation = "e2eimage.dev/consumer"
	// ImageIDPrefix comes before the image's name, in pod templates: new content
	// under an old tag has to roll out.
	ImageIDPrefix = "imageid.e2eimage.dev/"
)

// ImageIDs are the annotations that note what an image's name stood for.
func ImageIDs(annotations map[string]string) map[string]string {
	annotations = maps.Clone(annotations)
	maps.DeleteFunc(annotations, func(key, _ string) bool { return !strings.HasPrefix(key, ImageIDPrefix) })
	return annotations
}
