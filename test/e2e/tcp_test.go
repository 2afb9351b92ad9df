package e2e

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"io"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"
)

// forwards leads from a port at an address of this host to docker's socket, as DOCKER_HOST
// has it. With a certificate it speaks TLS.
func forwards(t *testing.T, address string, certificates ...tls.Certificate) string {
	t.Helper()
	socket := strings.TrimPrefix(os.Getenv("DOCKER_HOST"), "unix://")
	listener, err := new(net.ListenConfig).Listen(t.Context(), "tcp", address+":0")
	if err != nil {
		t.Fatal(err)
	}
	if len(certificates) > 0 {
		listener = tls.NewListener(listener, &tls.Config{Certificates: certificates})
	}
	var all sync.WaitGroup
	t.Cleanup(func() {
		_ = listener.Close()
		all.Wait()
	})
	all.Go(func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // it is closed
			}
			daemon, err := net.Dial("unix", socket)
			if err != nil {
				t.Error(err)
				_ = client.Close()
				continue
			}
			all.Go(func() { passOn(client, daemon.(*net.UnixConn)) })
		}
	})
	return "tcp://" + listener.Addr().String()
}

// passOn passes all on in both directions. Each ends by itself: the end of a command's stdin
// is not that of its output.
func passOn(client net.Conn, daemon *net.UnixConn) {
	var asked sync.WaitGroup
	asked.Go(func() {
		_, _ = io.Copy(daemon, client)
		_ = daemon.CloseWrite()
	})
	_, _ = io.Copy(client, daemon)
	_ = client.Close()
	asked.Wait()
	_ = daemon.Close()
}

func TestDockerOfTodayOverTCPThroughAllVerbs(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "DOCKER_HOST="+forwards(t, "127.0.0.1"))
	u.has("docker")
	u.throughAllVerbs()
	u.write("code/build", "last of "+u.namespace)
	u.buildCode()
	if result := u.e2eimage("load", u.source()); result.code != 0 || strings.Contains(result.stderr, "saves all") {
		t.Errorf("a daemon at this address reaches this host: exit %d: %s", result.code, result.stderr)
	}
}

// certified is a certificate for the loopback address, and the folder where docker looks for
// who has signed it.
func (u *user) certified() (tls.Certificate, string) {
	u.t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		u.t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)},
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, key.Public(), key)
	if err != nil {
		u.t.Fatal(err)
	}
	u.write("certificates/ca.pem", string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})))
	return tls.Certificate{Certificate: [][]byte{der}, PrivateKey: key}, filepath.Join(u.dir, "certificates")
}

func TestDockerOfTodayOverTLSIsTakenFrom(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	certificate, folder := u.certified()
	u.env = append(slices.Clone(u.env), "DOCKER_HOST="+forwards(t, "127.0.0.1", certificate), "DOCKER_TLS_VERIFY=1", "DOCKER_CERT_PATH="+folder)
	u.has("docker")
	u.buildCode()
	if result := u.e2eimage("load", u.source()); result.code != 0 || strings.Contains(result.stderr, "saves all") {
		t.Errorf("exit %d: %s", result.code, result.stderr)
	}
	wantEverywhere(t, u.source(), u.configOf(u.source()))
}

// A daemon at another address than the loopback's may be on another machine, whose loopback
// interface is not this host's.
func TestDockerOfTodayElsewhereIsNotToldToPush(t *testing.T) {
	t.Parallel()
	u := newUser(t)
	u.env = append(slices.Clone(u.env), "DOCKER_HOST="+forwards(t, "127.0.0.2"))
	u.has("docker")
	for _, content := range []string{"first", "second"} {
		u.write("code/build", content+" of "+u.namespace)
		u.buildCode()
		result := u.e2eimage("load", u.source())
		wantRefused(t, result, 0, "docker saves all of "+u.source(), "its daemon is at tcp://127.0.0.2:", "not on this host")
		wantEverywhere(t, u.source(), u.configOf(u.source()))
	}
}
