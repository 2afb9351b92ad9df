package e2eimage

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/internal/nearest"
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Images are the recorded images of a suite. They travel between processes as JSON: what
// one has brought up, the others use. They are only read, also by several goroutines.
type Images struct {
	Consumer string `json:"consumer"`
	// Namespace of the record, "" where the lock was read.
	Namespace string `json:"namespace,omitempty"`
	// From is lock or cluster.
	From Use `json:"from"`
	// Images in the order of the suite.
	Images []Ref `json:"images"`

	// tools are what other tools are told, made where the suite is known.
	tools *imagesForTools
}

// imagesForTools are images in the words of Helm and Kustomize. An error is about the suite
// and matters only to who asks for those words.
type imagesForTools struct {
	Helm           map[string]string `json:"helm,omitempty"`
	HelmError      *textError        `json:"helmError,omitempty"`
	Kustomize      []KustomizeImage  `json:"kustomize,omitempty"`
	KustomizeError *textError        `json:"kustomizeError,omitempty"`
}

// textError is an error as another process sees it.
type textError struct {
	Code    Code   `json:"code"`
	Message string `json:"message"`
	// cause is the error itself, in the process that it is of.
	cause error
}

func travelling(err error) *textError {
	if err == nil {
		return nil
	}
	return &textError{CodeOf(err), err.Error(), err}
}

// err is the error, or one of the same kind.
func (e *textError) err() error {
	switch {
	case e == nil:
		return nil
	case e.cause != nil:
		return e.cause
	case e.Code == CodeUsage:
		return &UsageError{errors.New(e.Message)}
	case e.Code == CodeInconsistent:
		return &InconsistentError{errors.New(e.Message)}
	}
	return &Error{Code: e.Code, Err: errors.New(e.Message)}
}

// With tells what the suite says of the images to Helm and Kustomize. A Client's images
// have been told; those that a fake makes have not. The values are for the templates of the
// suite's Helm.
func (i *Images) With(suite config.Suite, values config.TemplateValues) *Images {
	told := *i
	told.tools = &imagesForTools{}
	helm, err := chartValues(suite, i, values)
	told.tools.Helm, told.tools.HelmError = helm, travelling(err)
	block, err := kustomizeImages(suite, i)
	told.tools.Kustomize, told.tools.KustomizeError = block, travelling(err)
	return &told
}

// Get returns the recorded image of a NAME. Where there is none, the error is an *Error
// with CodeNotRecorded.
func (i *Images) Get(name string) (Ref, error) {
	var names []string
	for _, image := range i.Images {
		if image.Name == name {
			return image, nil
		}
		names = append(names, image.Name)
	}
	missing := &Error{Code: CodeNotRecorded, Image: name}
	near := ""
	if word := nearest.Word(name, names); word != "" {
		near = fmt.Sprintf("; did you mean %q?", word)
	}
	return Ref{}, missing.says("no image %q among %s%s", name, strings.Join(names, ", "), near)
}

// Image is the recorded image of a NAME, such as localhost/datastorage:suite-a1b2c3d4. It is
// "" where there is none; Get tells which there are.
func (i *Images) Image(name string) string {
	image, _ := i.Get(name)
	return image.Image
}

// Env are the images as variables, each KEY=VALUE, as os/exec takes them: of datastorage,
// DATASTORAGE_IMAGE, DATASTORAGE_REPOSITORY, DATASTORAGE_TAG and DATASTORAGE_ID, and DATASTORAGE_DIGEST
// where it is in a registry.
func (i *Images) Env() []string {
	var variables []string
	for _, image := range i.Images {
		prefix := strings.ToUpper(strings.ReplaceAll(image.Name, "-", "_"))
		if prefix[0] >= '0' && prefix[0] <= '9' {
			prefix = "_" + prefix
		}
		variables = append(variables, prefix+"_IMAGE="+image.Image, prefix+"_REPOSITORY="+image.Repository,
			prefix+"_TAG="+image.Tag, prefix+"_ID="+image.ImageID)
		if image.Digest != "" {
			variables = append(variables, prefix+"_DIGEST="+image.Digest)
		}
	}
	return variables
}

// JSON is what ParseImages reads in another process. That gets all of it, also what only
// e2eimage.yaml says of charts.
func (i *Images) JSON() []byte {
	// Text only: this cannot fail.
	text, _ := json.Marshal(struct {
		*Images
		Tools *imagesForTools `json:"tools,omitempty"`
	}{i, i.tools})
	return text
}

// ParseImages reads what Images.JSON has written.
func ParseImages(text []byte) (*Images, error) {
	var read struct {
		Images
		Tools *imagesForTools `json:"tools"`
	}
	err := json.Unmarshal(text, &read)
	if err == nil && slices.ContainsFunc(read.Images.Images, func(image Ref) bool {
		return image.Name == "" || image.Image == ""
	}) {
		err = errors.New("an image has no name")
	}
	if err == nil && len(read.Images.Images) == 0 {
		err = errors.New("there is no image in it")
	}
	if err != nil {
		return nil, &UsageError{fmt.Errorf("this is not what Images.JSON wrote: %w", err)}
	}
	read.Images.tools = read.Tools
	return &read.Images, nil
}

// KustomizeImage is an entry of images: in a kustomization.
type KustomizeImage struct {
	// Name is what manifests call the image, without a tag.
	Name    string `json:"name"`
	NewName string `json:"newName"`
	// NewTag or, of an image in a registry, Digest: Kustomize writes one of the two.
	NewTag string `json:"newTag,omitempty"`
	Digest string `json:"digest,omitempty"`
}

// Kustomize are the entries of images: in a kustomization. Manifests name an image by the
// repository of its source, or by its own; more Kustomize does not look at. Images that
// share one are an *InconsistentError.
func (i *Images) Kustomize() ([]KustomizeImage, error) {
	if i.tools == nil {
		return nil, errNotTold
	}
	return slices.Clone(i.tools.Kustomize), i.tools.KustomizeError.err()
}

// errNotTold is of images that somebody has made.
var errNotTold = errors.New("nothing says which suite these images are of; see Images.With")

func kustomizeImages(suite config.Suite, images *Images) ([]KustomizeImage, error) {
	var entries []KustomizeImage
	meant := map[string]string{}
	for _, other := range suite.Others {
		meant[repositoryOf(other.Source)], meant[cmp.Or(other.Repository, config.DefaultRepository(other.Name))] = other.Name,
			other.Name
	}
	for _, ref := range images.Images {
		for _, name := range slices.Compact([]string{cmp.Or(repositoryOf(ref.Source), ref.Repository), ref.Repository}) {
			if other := meant[name]; other != "" && other != ref.Name {
				return nil, &InconsistentError{fmt.Errorf("%s and %s have the same repository, %s, so Kustomize "+
					"cannot tell them apart\nuse instead: kubectl e2eimage render -k FOLDER", other, ref.Name, name)}
			}
			meant[name] = ref.Name
			one := KustomizeImage{Name: name, NewName: ref.Repository, NewTag: ref.Tag}
			if ref.Digest != "" {
				one.NewTag, one.Digest = "", ref.Digest
			}
			entries = append(entries, one)
		}
	}
	return entries, nil
}

// repositoryOf is a source without its tag. A source that is an ID or an archive has none,
// and manifests then can only name the image itself.
func repositoryOf(text string) string {
	source, err := config.ParseSource(text)
	if err != nil || source.Kind != config.SourceReference {
		return ""
	}
	name, _, _ := strings.Cut(source.Value, "@")
	if colon := strings.LastIndex(name, ":"); colon > strings.LastIndex(name, "/") {
		name = name[:colon]
	}
	return name
}
