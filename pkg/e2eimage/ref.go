package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/lock"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
)

// RefInput is what Ref needs.
type RefInput struct {
	Suite config.Suite
	// From decides where it is read; "" is the lock where that has all images,
	// else the cluster. There is no falling back from one that cannot be read.
	From Use
}

// RefResult is what Ref returns.
//
// Deprecated: it is called Images.
type RefResult = Images

// Ref is one recorded image, whole and in its parts.
type Ref struct {
	Name       string `json:"name"`
	Image      string `json:"image"`
	Repository string `json:"repository"`
	Tag        string `json:"tag"`
	// Digest in the registry that nodes pull it from, which Image has, too; "" for an image that
	// is on the nodes themselves, and while it is not known.
	Digest   string       `json:"digest,omitempty"`
	ImageID  string       `json:"imageID"`
	Source   string       `json:"source,omitempty"`
	Recorded *metav1.Time `json:"recorded,omitempty"`
}

// Ref reads the recorded images from the lock, or with one API call from the
// cluster; no look at the nodes.
func (c *Client) Ref(ctx context.Context, in RefInput) (*Images, error) {
	return verb(ctx, in, c.ref)
}

func (c *Client) ref(ctx context.Context, in RefInput) (*Images, error) {
	images, err := c.recordedImages(ctx, in)
	if err != nil {
		return nil, err
	}
	return images.With(in.Suite, c.facts(ctx, in.Suite, config.TemplateValues{})), nil
}

func (c *Client) recordedImages(ctx context.Context, in RefInput) (*Images, error) {
	if len(recordedNames(in.Suite)) == 0 {
		return nil, &UsageError{errors.New("external images keep their own names and have no record")}
	}
	if in.From != UseCluster {
		locked, err := c.lockWith(in.Suite)
		if err != nil {
			return nil, err
		}
		if locked != nil {
			return refOfLock(in.Suite, locked)
		}
		if in.From == UseLock {
			return nil, c.notLocked(in.Suite)
		}
	}
	var err error
	if in.Suite, err = inCluster(in.Suite); err != nil {
		return nil, err
	}
	return c.refOfCluster(ctx, in)
}

// notLocked says that no lock has the images.
func (c *Client) notLocked(suite config.Suite) error {
	where := "there is no lock without e2eimage.yaml or --lock"
	switch {
	case suite.Lock != "":
		where = "not in " + suite.Lock
	case suite.LockDir != "":
		where = "not in the locks of " + suite.LockDir
	}
	names := strings.Join(recordedNames(suite), " ")
	message := fmt.Sprintf("no tag of %s is decided on this host: %s", names, where)
	return &noRecordError{image: onlyOf(recordedNames(suite)), message: message, mend: "decide it: " + toRecord(suite)}
}

func refOfLock(suite config.Suite, locked *lock.Lock) (*Images, error) {
	result := &Images{Consumer: locked.Consumer, From: UseLock, Images: []Ref{}}
	for _, name := range recordedNames(suite) {
		entry := locked.Images[name]
		repository, tag, err := ociimage.Split(entry.Image)
		if err != nil {
			return nil, &InconsistentError{&lock.DamagedError{Path: locked.Path(), Err: err}}
		}
		result.Images = append(result.Images, Ref{
			Name: name, Image: pinnedBy(entry), Repository: repository, Tag: tag, Digest: entry.Digest,
			ImageID: entry.ImageID, Source: entry.Source, Recorded: entry.Tagged,
		})
	}
	return result, nil
}

func (c *Client) refOfCluster(ctx context.Context, in RefInput) (*Images, error) {
	kube, err := c.kube(in.Suite)
	if err != nil {
		return nil, err
	}
	set, records, err := kube.readRecords(ctx, in.Suite)
	if err != nil {
		return nil, err
	}
	result := &Images{Consumer: set.Consumer, Namespace: kube.namespace, From: UseCluster, Images: []Ref{}}
	for _, found := range records {
		if err := found.notReady(set.Namespace, set.Consumer, in.Suite); err != nil {
			return nil, err
		}
		repository, tag, err := ociimage.Split(found.Evidence.Image)
		if err != nil {
			return nil, err
		}
		result.Images = append(result.Images, Ref{
			Name: found.Image.Name, Image: found.Evidence.Reference(), Repository: repository, Tag: tag,
			Digest: digestIn(found.Evidence.Registry), ImageID: found.Evidence.ImageID, Source: found.Evidence.Source,
			Recorded: found.Evidence.Recorded,
		})
	}
	return result, nil
}

// digestIn is the digest of an image in its registry, "" for one of nodes.
func digestIn(in *record.Registry) string {
	if in == nil {
		return ""
	}
	return in.Digest.String()
}

// pinnedBy is a lock's image as workloads ask for it.
func pinnedBy(entry *lock.Entry) string {
	if entry.Digest == "" {
		return entry.Image
	}
	return entry.Image + "@" + entry.Digest
}
