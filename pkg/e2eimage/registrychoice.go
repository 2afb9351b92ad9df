package e2eimage

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// hostingLimit bounds what the cluster is asked about its registry: it need not be there yet.
const hostingLimit = 5 * time.Second

// settle says of each image which registry it goes through, and which repository it has there:
// whoever writes goes by that. Images of nodes stay as they are.
func (c *Client) settle(ctx context.Context, suite config.Suite) (config.Suite, error) {
	choices, err := c.choose(ctx, suite)
	if err != nil {
		return suite, err
	}
	settled := suite
	settled.Images = nil
	var mistakes []error
	for _, image := range suite.Images {
		choice := choices[said(suite, image)]
		if choice.Chosen() {
			image.Registry = choice.Said()
			if image.Repository, err = repositoryIn(choice, image); err != nil {
				mistakes = append(mistakes, &imageError{image.Name, err})
			}
		}
		settled.Images = append(settled.Images, image)
	}
	if len(mistakes) > 0 {
		return suite, &UsageError{errors.Join(mistakes...)}
	}
	return settled, nil
}

// said is the registry that an image is said to go through.
func said(suite config.Suite, image config.Image) string {
	return cmp.Or(image.Registry, suite.Registry)
}

// repositoryIn is where an image goes in a registry: a source that is there already has a
// repository of its own.
func repositoryIn(choice registry.Choice, image config.Image) (string, error) {
	if image.External != "" {
		return "", nil
	}
	if repository := ociimage.Repository(image.Source); image.Repository == "" && repository != "" {
		_, here := choice.There(repository)
		if _, there := choice.Here(repository); here || there || image.Loose {
			return choice.Repository(short(repository))
		}
	}
	return choice.Repository(cmp.Or(image.Repository, config.DefaultRepository(image.Name)))
}

// short is a repository without Docker Hub's name, which those have that say none.
func short(repository string) string {
	return strings.TrimPrefix(strings.TrimPrefix(repository, "docker.io/library/"), "docker.io/")
}

// choose decides where images go, by what is said of them. What nobody says is nothing chosen
// where there is a Kind cluster to go to.
func (c *Client) choose(ctx context.Context, suite config.Suite) (map[string]registry.Choice, error) {
	choices := map[string]registry.Choice{}
	for _, image := range suite.Images {
		choices[said(suite, image)] = registry.Choice{}
	}
	if len(suite.Images) == 0 {
		choices[suite.Registry] = registry.Choice{}
	}
	_, noKind := c.kindCluster(suite)
	var announced *registry.Hosting
	asked := false
	for _, text := range sortedKeys(choices) {
		if text == config.NoRegistry || text == "" && noKind == nil {
			continue
		}
		if !asked {
			announced, asked = c.announced(ctx, suite), true
		}
		choice, err := registry.Choose(text, announced)
		if err != nil {
			return nil, &UsageError{err}
		}
		choices[text] = choice
	}
	return choices, context.Cause(ctx)
}

// announced is the registry that the cluster says it has (KEP-1755), nil for none. A cluster that
// cannot be asked announces nothing: whoever needs it says why.
func (c *Client) announced(ctx context.Context, suite config.Suite) *registry.Hosting {
	kube, err := c.kube(suite)
	if err != nil {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, hostingLimit)
	defer cancel()
	configMap, err := kube.CoreV1().ConfigMaps(registry.HostingNamespace).Get(ctx, registry.HostingConfigMap,
		metav1.GetOptions{})
	if err != nil {
		return nil
	}
	hosting, err := registry.ParseHosting([]byte(configMap.Data[registry.HostingKey]))
	if err != nil {
		c.report.Warn(fmt.Sprintf("the cluster announces a registry, but not as one reads it: %v", err))
		return nil
	}
	return hosting
}

// checkPush tells whether the suite's images can be pushed, before minutes are spent on
// building them.
func (c *Client) checkPush(ctx context.Context, suite config.Suite) error {
	choices, err := c.choose(ctx, suite)
	if err != nil {
		return err
	}
	asked := map[string]bool{}
	var mistakes []error
	for _, image := range recordable(suite) {
		choice := choices[said(suite, image)]
		if !choice.Chosen() || asked[image.Repository] {
			continue
		}
		asked[image.Repository] = true
		store, err := c.openRegistry(choice, nil)
		if err != nil {
			return err
		}
		if err := store.checkPush(ctx, image.Repository); err != nil {
			mistakes = append(mistakes, &imageError{image.Name, err})
		}
		store.Close()
	}
	return errors.Join(mistakes...)
}
