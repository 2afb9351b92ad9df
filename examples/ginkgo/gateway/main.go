// Command gateway says which service answers a path.
package main

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/e2eimage/kubectl-e2eimage/examples/ginkgo/serve"
)

func main() { serve.Main(http.HandlerFunc(route)) }

func route(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Query().Get("path")
	if !strings.HasPrefix(path, "/records/") {
		http.Error(w, "no service answers "+path, http.StatusNotFound)
		return
	}
	_, _ = fmt.Fprint(w, "datastorage")
}
