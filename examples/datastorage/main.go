// Command datastorage is the sample service of the demo and the tests: it says
// which build it is, and is ready a moment after its start.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// build is set by the linker; it tells builds apart. In an image of which a file
// /build says it, that does.
var build = "unknown"

func main() {
	if said, err := os.ReadFile("/build"); err == nil {
		build = strings.TrimSpace(string(said))
	}
	// The root of all contexts of this process: signals end it.
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "datastorage:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context) error {
	address := flag.String("listen", ":8080", "address to listen on")
	failFirst := flag.String("fail-first", "", "file to note the first start in, which then fails")
	once := flag.Bool("once", false, "say which build it is and end, as a migration would")
	flag.Parse()
	if *failFirst != "" {
		if note, err := os.OpenFile(*failFirst, os.O_CREATE|os.O_EXCL, 0o600); err == nil {
			return errors.Join(note.Close(), errors.New("the migration has not run yet"))
		}
	}
	if *once {
		fmt.Printf("datastorage build %s has nothing to migrate\n", build)
		return nil
	}

	mux := http.NewServeMux()
	mux.HandleFunc("GET /readyz", func(w http.ResponseWriter, _ *http.Request) {
		_, _ = fmt.Fprintln(w, "ok")
	})
	mux.HandleFunc("GET /", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		_ = json.NewEncoder(w).Encode(map[string]string{
			"service": "datastorage", "build": build, "pod": os.Getenv("POD_NAME"), "node": os.Getenv("NODE_NAME"),
		})
	})
	server := &http.Server{Addr: *address, Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	context.AfterFunc(ctx, func() { _ = server.Close() })
	fmt.Printf("datastorage build %s listens on %s\n", build, *address)
	if err := server.ListenAndServe(); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
