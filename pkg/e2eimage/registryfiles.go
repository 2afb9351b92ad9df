package e2eimage

import (
	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// RegistryFiles say who this is to registries, and which of them to trust. Without any, nobody
// logs in anywhere, and the system's certificate authorities are trusted.
type RegistryFiles struct {
	// Credentials are files as docker and podman write them at a login, in the order in which
	// they are asked. Credential helpers that they name are run. One that is not there is passed
	// over.
	Credentials []string
	// Certificates are folders with a folder for each registry, HOST[:PORT], with *.crt for the
	// authorities to trust there, and *.cert with *.key for who this is.
	Certificates []string
}

// DefaultRegistryFiles are those of docker and podman on this host. environment looks up
// variables such as DOCKER_CONFIG; home is the user's folder, "" for none.
func DefaultRegistryFiles(environment config.Environment, home string) RegistryFiles {
	lookUp := func(name string) string {
		value, _ := environment(name)
		return value
	}
	return RegistryFiles{
		Credentials: registry.CredentialFiles(lookUp, home), Certificates: registry.CertificateFolders(home),
	}
}
