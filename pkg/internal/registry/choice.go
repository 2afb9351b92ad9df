package registry

import (
	"cmp"
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
	"github.com/google/go-containerregistry/pkg/name"
)

// None says that images go to the cluster's own nodes, whatever the cluster announces.
const None = "none"

// By is who chose a registry.
type By string

// Who chooses, the first of these that says anything.
const (
	ByFlag        By = "--registry"
	ByEnvironment By = "E2EIMAGE_REGISTRY"
	ByConfig      By = "registry"
	ByCluster     By = "local-registry-hosting"
)

// Wishes say which registry images go through, each HOST[:PORT][/PATH], None, or "".
type Wishes struct {
	Flag, Environment, Config string
	// Announced is what the cluster says, as ParseHosting reads it; nil for nothing.
	Announced *Hosting
	// PlainHTTP says that the registry may do without TLS.
	PlainHTTP bool
}

// Choice is where images go. The zero value is the cluster's own nodes.
type Choice struct {
	// By is who chose, "" for nobody.
	By By
	// Push is the prefix of repositories as it is reached from here, Pull as the nodes reach it:
	// HOST[:PORT][/PATH]. They differ where the registry is a container beside the cluster.
	Push, Pull string
	// PlainHTTP says that it may do without TLS. On loopback it may anyway.
	PlainHTTP bool
	// Help is an address with the cluster's own words about its registry, "" for none.
	Help string
}

// WishError says that a registry is not written as one.
type WishError struct {
	By   By
	Text string
	Err  error
}

func (e *WishError) Error() string {
	return fmt.Sprintf("%s: %q is no registry, which is HOST[:PORT][/PATH], such as registry.example/team: %v",
		e.By, e.Text, e.Err)
}

// Unwrap returns the cause.
func (e *WishError) Unwrap() error { return e.Err }

// Choose decides which registry images go through: the first wish, else what the cluster
// announces. A wish for the announced host, with a path or without, is reached from the nodes as
// the cluster says.
func Choose(wishes Wishes) (Choice, error) {
	for _, wish := range []struct {
		by   By
		text string
	}{{ByFlag, wishes.Flag}, {ByEnvironment, wishes.Environment}, {ByConfig, wishes.Config}} {
		switch wish.text {
		case "":
			continue
		case None:
			return Choice{}, nil
		}
		if err := check(wish.text); err != nil {
			return Choice{}, &WishError{By: wish.by, Text: wish.text, Err: err}
		}
		chosen := Choice{By: wish.by, Push: wish.text, Pull: wish.text, PlainHTTP: wishes.PlainHTTP}
		if announced := wishes.Announced; announced != nil {
			if rest, ok := below(wish.text, announced.Host); ok {
				chosen.Pull, chosen.Help = announced.fromNodes()+rest, announced.Help
			}
		}
		return chosen, nil
	}
	if announced := wishes.Announced; announced != nil && announced.Host != "" {
		return Choice{
			By: ByCluster, Push: announced.Host, Pull: announced.fromNodes(), PlainHTTP: wishes.PlainHTTP,
			Help: announced.Help,
		}, nil
	}
	return Choice{}, nil
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

// check tells what is wrong with HOST[:PORT][/PATH].
func check(text string) error {
	first, path, found := strings.Cut(text, "/")
	switch {
	case strings.Contains(text, "://"):
		return errors.New("leave out the scheme; plain http is said apart")
	case !strings.ContainsAny(first, ".:") && first != "localhost":
		// As everywhere, x/y is a path of Docker Hub.
		return fmt.Errorf("its host needs a dot or a port; docker.io/%s would be Docker Hub's", text)
	case found && strings.Trim(path, "/") != path || found && path == "":
		return errors.New("its path begins or ends with a slash")
	}
	if _, err := name.NewRegistry(first, name.StrictValidation); err != nil {
		return err
	}
	named, err := reference.ParseNormalizedNamed(first + "/" + cmp.Or(path, "x"))
	if err != nil {
		return err
	}
	if !reference.IsNameOnly(named) {
		return errors.New("it has a tag or digest")
	}
	return nil
}
