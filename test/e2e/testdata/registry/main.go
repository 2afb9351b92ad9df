// Command registry serves the image of an archive on a node's own loopback, so
// that the node's kubelet pulls it itself. It ends after a while.
package main

import (
	"bytes"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
)

func main() {
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "registry:", err)
		os.Exit(1)
	}
}

func run(archive, reference string) error {
	ref, err := name.NewTag(reference)
	if err != nil {
		return err
	}
	image, err := tarball.ImageFromPath(archive, nil)
	if err != nil {
		return err
	}
	listener, err := net.Listen("tcp", ref.RegistryStr())
	if err != nil {
		return err
	}
	server := &http.Server{Handler: registry.New(), ReadHeaderTimeout: 5 * time.Second}
	time.AfterFunc(2*time.Minute, func() { _ = server.Close() })
	go func() {
		if err := push(image, ref); err != nil {
			fmt.Fprintln(os.Stderr, "registry:", err)
			_ = server.Close()
		}
	}()
	return server.Serve(listener)
}

func push(image v1.Image, ref name.Tag) error {
	base := "http://" + ref.RegistryStr() + "/v2/" + ref.RepositoryStr()
	layers, err := image.Layers()
	if err != nil {
		return err
	}
	for _, layer := range layers {
		digest, err := layer.Digest()
		if err != nil {
			return err
		}
		blob, err := layer.Compressed()
		if err != nil {
			return err
		}
		if err := send(http.MethodPost, base+"/blobs/uploads/?digest="+digest.String(), "application/octet-stream", blob); err != nil {
			return err
		}
	}
	config, err := image.RawConfigFile()
	if err != nil {
		return err
	}
	id, err := image.ConfigName()
	if err != nil {
		return err
	}
	if err := send(http.MethodPost, base+"/blobs/uploads/?digest="+id.String(), "application/octet-stream", bytes.NewReader(config)); err != nil {
		return err
	}
	manifest, err := image.RawManifest()
	if err != nil {
		return err
	}
	kind, err := image.MediaType()
	if err != nil {
		return err
	}
	return send(http.MethodPut, base+"/manifests/"+ref.TagStr(), string(kind), bytes.NewReader(manifest))
}

func send(method, url, kind string, body io.Reader) error {
	request, err := http.NewRequest(method, url, body)
	if err != nil {
		return err
	}
	request.Header.Set("Content-Type", kind)
	response, err := http.DefaultClient.Do(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s: %s", method, url, response.Status)
	}
	return nil
}
