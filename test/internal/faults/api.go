package faults

import (
	"crypto/rand"
	"encoding/hex"
	"encoding/pem"
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"

	"k8s.io/client-go/rest"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"
)

// API is a proxy in front of an API server, on loopback, with TLS and a token.
type API struct {
	server *httptest.Server
	token  string
	// Before and After are called around each request with "PUT configmaps"
	// or the like; an error from Before is the answer.
	before func(request string) error
	after  func(request string)
}

// NewAPI begins to pass requests on to the API server of a kubeconfig.
func NewAPI(kubeconfig string, before func(request string) error, after func(request string)) (*API, error) {
	config, err := clientcmd.BuildConfigFromFlags("", kubeconfig)
	if err != nil {
		return nil, err
	}
	real, err := url.Parse(config.Host)
	if err != nil {
		return nil, err
	}
	transport, err := rest.TransportFor(config)
	if err != nil {
		return nil, err
	}
	secret := make([]byte, 16)
	if _, err := rand.Read(secret); err != nil {
		return nil, err
	}
	a := &API{token: hex.EncodeToString(secret), before: before, after: after}
	proxy := &httputil.ReverseProxy{
		Transport:     transport,
		FlushInterval: -1,
		// Clients that go away in the middle are what this is for.
		ErrorLog: log.New(io.Discard, "", 0),
		Rewrite: func(r *httputil.ProxyRequest) {
			r.SetURL(real)
			r.Out.Header.Del("Authorization")
		},
	}
	a.server = httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.Header.Get("Authorization") != "Bearer "+a.token {
			http.Error(w, "who are you?", http.StatusUnauthorized)
			return
		}
		request := r.Method + " " + resource(r.URL.Path)
		if err := a.before(request); err != nil {
			http.Error(w, err.Error(), http.StatusServiceUnavailable)
			return
		}
		proxy.ServeHTTP(w, r)
		a.after(request)
	}))
	return a, nil
}

// resource is the plural in a path of the API: configmaps, deployments, ….
func resource(path string) string {
	parts := strings.Split(strings.Trim(path, "/"), "/")
	for i, part := range parts {
		if part == "namespaces" && i+2 < len(parts) {
			return parts[i+2]
		}
	}
	return parts[len(parts)-1]
}

// WriteKubeconfig writes a kubeconfig that leads here, with the context name that
// kind would write.
func (a *API) WriteKubeconfig(file, kindCluster string) error {
	ca := pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: a.server.Certificate().Raw})
	name := "kind-" + kindCluster
	return clientcmd.WriteToFile(clientcmdapi.Config{
		Clusters:       map[string]*clientcmdapi.Cluster{name: {Server: a.server.URL, CertificateAuthorityData: ca}},
		AuthInfos:      map[string]*clientcmdapi.AuthInfo{name: {Token: a.token}},
		Contexts:       map[string]*clientcmdapi.Context{name: {Cluster: name, AuthInfo: name}},
		CurrentContext: name,
	}, file)
}

// Close ends it.
func (a *API) Close() { a.server.CloseClientConnections(); a.server.Close() }

// String tells where it listens.
func (a *API) String() string { return fmt.Sprintf("API server behind %s", a.server.URL) }
