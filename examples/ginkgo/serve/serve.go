// Package serve runs the example's services until they are told to end. It must not know
// what they do.
package serve

import (
	"archive/tar"
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"runtime/coverage"
	"syscall"
	"time"
)

// Main serves the handler, and beside it /readyz and /coverage.
func Main(handler http.Handler) {
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, handler)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, handler http.Handler) error {
	mux := http.NewServeMux()
	mux.Handle("/", handler)
	mux.HandleFunc("GET /readyz", func(http.ResponseWriter, *http.Request) {})
	mux.HandleFunc("GET /coverage", func(w http.ResponseWriter, _ *http.Request) {
		if err := writeCoverage(w); err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
		}
	})
	server := &http.Server{Addr: ":8080", Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}

// writeCoverage writes what a binary of `go build -cover` has counted until now: the files
// that it would leave in GOCOVERDIR, as a tar archive.
func writeCoverage(w http.ResponseWriter) error {
	dir, err := os.MkdirTemp(os.Getenv("GOCOVERDIR"), "")
	if err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(dir) }()
	if err := errors.Join(coverage.WriteMetaDir(dir), coverage.WriteCountersDir(dir)); err != nil {
		return err
	}
	archive := tar.NewWriter(w)
	return errors.Join(archive.AddFS(os.DirFS(dir)), archive.Close())
}
