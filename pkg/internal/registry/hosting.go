package registry

import (
	"errors"
	"fmt"

	"sigs.k8s.io/yaml"

	"github.com/e2eimage/kubectl-e2eimage/pkg/config"
)

// Where a cluster announces its registry (KEP-1755).
const (
	HostingNamespace = "kube-public"
	HostingConfigMap = "local-registry-hosting"
	HostingKey       = "localRegistryHosting.v1"
)

// Hosting is what a cluster says of the registry that it pulls from. All but Help are
// HOST[:PORT], some clusters add a path.
type Hosting struct {
	// Host as tools outside the cluster reach it.
	Host string `json:"host,omitempty"`
	// HostFromContainerRuntime is what the nodes pull by; "" where Host will do.
	HostFromContainerRuntime string `json:"hostFromContainerRuntime,omitempty"`
	// HostFromClusterNetwork is how pods reach it; images are not pulled by pods.
	HostFromClusterNetwork string `json:"hostFromClusterNetwork,omitempty"`
	// Help is an address with more words.
	Help string `json:"help,omitempty"`
}

// ParseHosting reads the ConfigMap's entry. Fields that are not known yet are passed over.
func ParseHosting(text []byte) (*Hosting, error) {
	var hosting Hosting
	if err := yaml.Unmarshal(text, &hosting); err != nil {
		return nil, hosting.wrong("", err)
	}
	if hosting.Host == "" {
		return nil, hosting.wrong("", errors.New("it says no host"))
	}
	for field, said := range map[string]string{
		"host": hosting.Host, "hostFromContainerRuntime": hosting.HostFromContainerRuntime,
	} {
		if said == "" {
			continue
		}
		if err := check(said); err != nil && (field == "host" || !isName(said)) {
			return nil, hosting.wrong(field+" "+said, err)
		}
	}
	return &hosting, nil
}

// check wants HOST[:PORT][/PATH].
func check(text string) error {
	_, plain, err := config.ParseRegistry(text)
	if plain {
		err = errors.New("it has a scheme")
	}
	return err
}

// isName takes the name of a container for a host, as nodes beside it may.
func isName(text string) bool { return check(host(text)+".x"+text[len(host(text)):]) == nil }

func (h *Hosting) wrong(what string, err error) error {
	if what != "" {
		what = ": " + what
	}
	return fmt.Errorf("ConfigMap %s/%s, %s%s: %w", HostingNamespace, HostingConfigMap, HostingKey, what, err)
}

func (h *Hosting) fromNodes() string {
	if h.HostFromContainerRuntime != "" {
		return h.HostFromContainerRuntime
	}
	return h.Host
}
