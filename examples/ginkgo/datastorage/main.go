// Command datastorage keeps records in memory.
package main

import (
	"io"
	"net/http"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/examples/ginkgo/serve"
)

func main() { serve.Main(newStore()) }

// store keeps texts by name.
type store struct {
	*http.ServeMux
	mu      sync.Mutex
	records map[string][]byte
}

func newStore() *store {
	s := &store{ServeMux: http.NewServeMux(), records: map[string][]byte{}}
	s.HandleFunc("PUT /records/{name}", s.put)
	s.HandleFunc("GET /records/{name}", s.get)
	return s
}

func (s *store) put(w http.ResponseWriter, r *http.Request) {
	text, err := io.ReadAll(http.MaxBytesReader(w, r.Body, 1<<20))
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.records[r.PathValue("name")] = text
}

func (s *store) get(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	defer s.mu.Unlock()
	text, ok := s.records[r.PathValue("name")]
	if !ok {
		http.Error(w, "there is no such record", http.StatusNotFound)
		return
	}
	_, _ = w.Write(text)
}
