// Command registry serves the image of an archive on a node's own loopback, so
// that the node's kubelet pulls it itself. It ends after a while.
package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/registry"
	"github.com/google/go-containerregistry/pkg/v1/remote"
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
		if err := remote.Write(ref, image); err != nil {
			fmt.Fprintln(os.Stderr, "registry:", err)
			_ = server.Close()
		}
	}()
	return server.Serve(listener)
}
