package config

import (
	"errors"
	"fmt"
	"strings"

	"github.com/distribution/reference"
)

// NoRegistry says that images go to the cluster's own nodes, whatever the cluster announces.
const NoRegistry = "none"

// ParseRegistry understands where images go through a registry: HOST[:PORT][/PATH], such as
// registry.example/team, which is what repositories begin with. http:// before it lets the
// registry do without TLS, which it may anyway where it is on this machine's loopback.
func ParseRegistry(text string) (prefix string, plainHTTP bool, err error) {
	prefix, plainHTTP = strings.CutPrefix(text, "http://")
	first, path, found := strings.Cut(prefix, "/")
	switch {
	case strings.HasPrefix(prefix, "https://"):
		err = errors.New("leave out https://, which is what is meant without a scheme")
	case strings.Contains(prefix, "://"):
		err = errors.New("the only scheme that it may have is http://")
	case !strings.ContainsAny(first, ".:") && first != "localhost":
		// As everywhere, x/y is a path of Docker Hub.
		err = fmt.Errorf("its host needs a dot or a port; docker.io/%s would be Docker Hub's", prefix)
	case found && (path == "" || strings.Trim(path, "/") != path):
		err = errors.New("its path begins or ends with a slash")
	default:
		var named reference.Named
		if !found {
			path = "x"
		}
		named, err = reference.ParseNormalizedNamed(first + "/" + path)
		if err == nil && !reference.IsNameOnly(named) {
			err = errors.New("it has a tag or digest")
		}
	}
	if err != nil {
		return "", false, fmt.Errorf("%s is no registry, which is HOST[:PORT][/PATH] such as registry.example/team: %s",
			quote(text), harmless(err))
	}
	return prefix, plainHTTP, nil
}

// checkRegistry is about `registry`, which may also say that there is none.
func checkRegistry(text string) error {
	if text == NoRegistry {
		return nil
	}
	_, _, err := ParseRegistry(text)
	return err
}
