package registry

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// CertificateFolders are where docker and podman keep, in a folder for each registry, whom to
// trust there and who they are. home may be "".
func CertificateFolders(home string) []string {
	folders := []string{"/etc/containers/certs.d", "/etc/docker/certs.d"}
	if home != "" {
		folders = append([]string{
			filepath.Join(home, ".config", "containers", "certs.d"),
			filepath.Join(home, ".docker", "certs.d"),
		}, folders...)
	}
	return folders
}

// certificates reads HOST/*.crt, whom to trust, and HOST/*.cert with HOST/*.key, who asks. It
// returns nil where a host has none.
func certificates(folders []string, host string) (*tls.Config, error) {
	var config *tls.Config
	for _, folder := range folders {
		entries, err := os.ReadDir(filepath.Join(folder, host))
		if errors.Is(err, fs.ErrNotExist) || errors.Is(err, fs.ErrPermission) {
			continue
		}
		if err != nil {
			return nil, err
		}
		for _, entry := range entries {
			if config == nil {
				config = &tls.Config{MinVersion: tls.VersionTLS12}
			}
			if err := certificate(config, filepath.Join(folder, host, entry.Name())); err != nil {
				return nil, err
			}
		}
	}
	return config, nil
}

func certificate(config *tls.Config, file string) error {
	switch filepath.Ext(file) {
	case ".crt":
		text, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		if config.RootCAs == nil {
			if config.RootCAs, err = x509.SystemCertPool(); err != nil {
				config.RootCAs = x509.NewCertPool()
			}
		}
		if !config.RootCAs.AppendCertsFromPEM(text) {
			return fmt.Errorf("%s has no certificate in PEM form", file)
		}
	case ".cert":
		pair, err := tls.LoadX509KeyPair(file, strings.TrimSuffix(file, ".cert")+".key")
		if err != nil {
			return err
		}
		config.Certificates = append(config.Certificates, pair)
	}
	return nil
}
