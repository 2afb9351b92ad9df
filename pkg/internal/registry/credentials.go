package registry

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/docker/cli/cli/config"
	"github.com/docker/cli/cli/config/types"
	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
)

// Keychain finds credentials in files as docker and podman write them at a login, and in the
// credential helpers that those name. It keeps none, and says none.
type Keychain struct {
	// Files in the order in which they are asked. One that is not there is passed over.
	Files []string
}

var (
	_ authn.Keychain        = (*Keychain)(nil)
	_ authn.ContextKeychain = (*Keychain)(nil)
)

// CredentialFiles are where docker and podman keep what they got at a login: podman's own
// first, since podman looks into docker's, too, but docker not into podman's. home may be "".
func CredentialFiles(env func(string) string, home string) []string {
	var files []string
	add := func(dir string, rest ...string) {
		if dir != "" {
			files = append(files, filepath.Join(append([]string{dir}, rest...)...))
		}
	}
	add(env("REGISTRY_AUTH_FILE"))
	add(env("XDG_RUNTIME_DIR"), "containers", "auth.json")
	if config := env("XDG_CONFIG_HOME"); config != "" {
		add(config, "containers", "auth.json")
	} else if home != "" {
		add(home, ".config", "containers", "auth.json")
	}
	if docker := env("DOCKER_CONFIG"); docker != "" {
		add(docker, "config.json")
	} else if home != "" {
		add(home, ".docker", "config.json")
	}
	return files
}

// Resolve implements authn.Keychain.
func (k *Keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	// authn.Keychain hands on no context. Who has one calls ResolveContext, as the library
	// does. What follows could not use it: docker's own code reads files and runs helpers.
	return k.ResolveContext(context.Background(), target)
}

// ResolveContext implements authn.ContextKeychain.
func (k *Keychain) ResolveContext(ctx context.Context, target authn.Resource) (authn.Authenticator, error) {
	if cause := context.Cause(ctx); cause != nil {
		return nil, cause
	}
	found, _, err := k.find(target)
	if err != nil || found == (types.AuthConfig{}) {
		return authn.Anonymous, err
	}
	return authn.FromConfig(authn.AuthConfig{
		Username: found.Username, Password: found.Password, Auth: found.Auth,
		IdentityToken: found.IdentityToken, RegistryToken: found.RegistryToken,
	}), nil
}

// source is the file that has credentials for a repository, "" for none.
func (k *Keychain) source(target authn.Resource) string {
	_, file, err := k.find(target)
	if err != nil {
		return ""
	}
	return file
}

func (k *Keychain) find(target authn.Resource) (found types.AuthConfig, file string, err error) {
	if k == nil {
		return types.AuthConfig{}, "", nil
	}
	for _, file := range k.Files {
		found, err := credentials(file, target)
		if err != nil {
			return types.AuthConfig{}, "", fmt.Errorf("credentials for %s: %s: %w", target.RegistryStr(), file, err)
		}
		if found != (types.AuthConfig{}) {
			return found, file, nil
		}
	}
	return types.AuthConfig{}, "", nil
}

func credentials(file string, target authn.Resource) (types.AuthConfig, error) {
	opened, err := os.Open(file)
	if errors.Is(err, fs.ErrNotExist) {
		return types.AuthConfig{}, nil
	}
	if err != nil {
		return types.AuthConfig{}, err
	}
	defer func() { _ = opened.Close() }()
	read, err := config.LoadFromReader(opened)
	if err != nil {
		return types.AuthConfig{}, errors.New("it is not as docker or podman write it")
	}
	for _, key := range keys(target) {
		found, err := read.GetAuthConfig(key)
		if err != nil {
			return types.AuthConfig{}, err
		}
		if found.ServerAddress = ""; found != (types.AuthConfig{}) {
			return found, nil
		}
	}
	return types.AuthConfig{}, nil
}

// keys are what credentials for a repository can be filed under, the narrowest first: podman
// has such for a part of a registry.
func keys(target authn.Resource) []string {
	if target.RegistryStr() == name.DefaultRegistry {
		return []string{authn.DefaultAuthKey, "docker.io"}
	}
	var keys []string
	for key := target.String(); key != target.RegistryStr(); {
		keys = append(keys, key)
		at := strings.LastIndexByte(key, '/')
		if at < 0 {
			break
		}
		key = key[:at]
	}
	return append(keys, target.RegistryStr())
}
