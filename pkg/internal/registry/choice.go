package registry

import (
	"fmt"
	"strings"

	"github.com/distribution/reference"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Choice is where images go. The zero value is the cluster's own nodes.
type Choice struct {
	// Announced is set where nobody but the cluster chose.
	Announced bool
	// Push is the prefix of repositories as it is reached from here, Pull as the nodes reach it:
	// HOST[:PORT][/PATH]. They differ where the registry is a container beside the cluster.
	Push, Pull string
	// PlainHTTP says that it may do without TLS. On loopback it may anyway.
	PlainHTTP bool
	// Help is an address with the cluster's own words about its registry, "" for none.
	Help string
}

// Choose decides which registry images go through: the one that is said, as
// config.ParseRegistry understands it, or config.NoRegistry; else what the cluster announces,
// nil for nothing. One of the announced host, with a path or without, is reached from the nodes
// as the cluster says.
func Choose(said string, announced *Hosting) (Choice, error) {
	switch {
	case said == config.NoRegistry:
		return Choice{}, nil
	case said != "":
		prefix, plain, err := config.ParseRegistry(said)
		if err != nil {
			return Choice{}, err
		}
		chosen := Choice{Push: prefix, Pull: prefix, PlainHTTP: plain}
		if announced != nil {
			if rest, ok := below(prefix, announced.Host); ok {
				chosen.Pull, chosen.Help = announced.fromNodes()+rest, announced.Help
			}
		}
		return chosen, nil
	case announced != nil && announced.Host != "":
		return Choice{Announced: true, Push: announced.Host, Pull: announced.fromNodes(), Help: announced.Help}, nil
	}
	return Choice{}, nil
}

// Part is what a place of images calls the registry: no node has such a name.
func (c Choice) Part() string { return PartPrefix + c.Pull }

// PartPrefix is what the names of registries begin with, where they stand beside those of nodes.
const PartPrefix = "registry "

// Said is the choice as it is said, so that another run can make the same.
func (c Choice) Said() string {
	if c.PlainHTTP {
		return "http://" + c.Push
	}
	return c.Push
}

// Chosen tells whether there is a registry.
func (c Choice) Chosen() bool { return c.Push != "" }

// Host is the registry's as it is reached from here, with its port.
func (c Choice) Host() string { return host(c.Push) }

// Repository is where an image goes that elsewhere is in a repository, as the nodes call it. A
// repository that is nobody's, like localhost/team/app or app, goes below the registry's path;
// one that is in the registry already stays as it is. Those of other registries are an error.
func (c Choice) Repository(repository string) (string, error) {
	for _, side := range []string{c.Pull, c.Push} {
		if rest, ok := below(repository, side); ok && rest != "" {
			return c.Pull + rest, nil
		}
	}
	named, err := reference.ParseNormalizedNamed(repository)
	if err != nil {
		return "", fmt.Errorf("repository %q: %w", repository, err)
	}
	if !reference.IsNameOnly(named) {
		return "", fmt.Errorf("repository %q has a tag or digest; give it without", repository)
	}
	path := reference.Path(named)
	switch domain := reference.Domain(named); {
	case domain == "localhost":
	case domain == "docker.io" && !strings.HasPrefix(repository, "docker.io/"):
		path = repository
	default:
		return "", fmt.Errorf("repository %s is not in the registry %s, where images go", repository, c.Pull)
	}
	return c.Pull + "/" + path, nil
}

// Here is a name as it is reached from here, of one as the nodes reach it. ok is false where the
// name is not in this registry.
func (c Choice) Here(text string) (here string, ok bool) {
	rest, ok := below(text, c.Pull)
	return c.Push + rest, ok && rest != ""
}

// There is a name as the nodes reach it, of one as it is reached from here.
func (c Choice) There(text string) (there string, ok bool) {
	rest, ok := below(text, c.Push)
	return c.Pull + rest, ok && rest != ""
}

// below returns what of a name stands behind a prefix of whole path components.
func below(text, prefix string) (rest string, ok bool) {
	rest, ok = strings.CutPrefix(text, prefix)
	return rest, ok && prefix != "" && (rest == "" || rest[0] == '/')
}

func host(prefix string) string {
	host, _, _ := strings.Cut(prefix, "/")
	return host
}
