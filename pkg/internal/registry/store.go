package registry

import (
	"errors"
	"fmt"
	"net/http"
	"sync"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/opencontainers/go-digest"
	"golang.org/x/sync/singleflight"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Options say which registry, and what it takes to speak with it.
type Options struct {
	// Host of the registry as it is reached from here, with its port.
	Host string
	// PlainHTTP lets it do without TLS. On this machine it may anyway.
	PlainHTTP bool
	// Keychain has the credentials; nil for none.
	Keychain *Keychain
	// Certificates are folders with a folder for each registry; see CertificateFolders.
	Certificates []string
	// UserAgent says who asks.
	UserAgent string
	// Jobs is how many questions and pushes are under way at once, 0 for the default of 4.
	Jobs int
	// Retry is how long it waits before it asks again, 0 for the default of 300 ms. Then it
	// waits twice as long, and so on.
	Retry time.Duration
}

// Store is a registry. It is safe for concurrent use.
type Store struct {
	host     name.Registry
	keychain *Keychain
	jobs     int
	puller   *remote.Puller
	pusher   *remote.Pusher
	guard    *guard
	idle     func()

	// reading are the configs that are being read.
	reading singleflight.Group
	mu      sync.Mutex
	// configs that were read. What a digest is of does not change.
	configs map[digest.Digest]ociimage.Image
}

const (
	defaultJobs = 4
	// A registry is asked so many times. The library waits without regard to a context, so
	// that all waiting together is short: 300 ms, 600 ms, 1.2 s.
	tries        = 4
	defaultRetry = 300 * time.Millisecond
)

// Open prepares a connection to a registry. It does not ask it anything yet.
func Open(options Options) (*Store, error) {
	if options.Host == "" {
		return nil, errors.New("registry.Options.Host is missing")
	}
	var how []name.Option
	plain := map[string]bool{}
	if options.PlainHTTP || isLoopback(options.Host) {
		how = append(how, name.Insecure)
		plain[options.Host] = true
	}
	host, err := name.NewRegistry(options.Host, how...)
	if err != nil {
		return nil, fmt.Errorf("registry %q: %w", options.Host, err)
	}
	tls, err := certificates(options.Certificates, options.Host)
	if err != nil {
		return nil, fmt.Errorf("certificates for registry %s: %w", options.Host, err)
	}
	base, ok := remote.DefaultTransport.(*http.Transport)
	if !ok {
		return nil, fmt.Errorf("the library's transport is a %T", remote.DefaultTransport)
	}
	base = base.Clone()
	if tls != nil {
		base.TLSClientConfig = tls
	}
	if options.Jobs == 0 {
		options.Jobs = defaultJobs
	}
	if options.Retry == 0 {
		options.Retry = defaultRetry
	}
	guarded := &guard{next: base, plain: plain}
	with := []remote.Option{
		remote.WithTransport(guarded),
		remote.WithJobs(options.Jobs),
		remote.WithRetryBackoff(remote.Backoff{Duration: options.Retry, Factor: 2, Jitter: 0.1, Steps: tries}),
	}
	if options.UserAgent != "" {
		with = append(with, remote.WithUserAgent(options.UserAgent))
	}
	if options.Keychain != nil {
		with = append(with, remote.WithAuthFromKeychain(options.Keychain))
	}
	store := &Store{
		host: host, keychain: options.Keychain, jobs: options.Jobs, guard: guarded, idle: base.CloseIdleConnections,
		configs: map[digest.Digest]ociimage.Image{},
	}
	if store.puller, err = remote.NewPuller(with...); err == nil {
		store.pusher, err = remote.NewPusher(with...)
	}
	if err != nil {
		return nil, err
	}
	return store, nil
}

// Close ends the connections that nobody uses.
func (s *Store) Close() { s.idle() }

// Host is the registry's, with its port.
func (s *Store) Host() string { return s.host.RegistryStr() }

// tag reads a name like HOST/team/app:dev.
func (s *Store) tag(text string) (name.Tag, error) {
	tag, err := name.NewTag(text, name.StrictValidation)
	if err != nil {
		return name.Tag{}, fmt.Errorf("%q is no name in a registry: %w", text, err)
	}
	if tag.RegistryStr() != s.host.RegistryStr() {
		return name.Tag{}, fmt.Errorf("%s is not in registry %s", text, s.host.RegistryStr())
	}
	tag.Repository.Registry = s.host
	return tag, nil
}

// repository reads a repository like HOST/team/app.
func (s *Store) repository(text string) (name.Repository, error) {
	repository, err := name.NewRepository(text, name.StrictValidation)
	if err != nil {
		return name.Repository{}, fmt.Errorf("%q is no repository: %w", text, err)
	}
	if repository.RegistryStr() != s.host.RegistryStr() {
		return name.Repository{}, fmt.Errorf("%s is not in registry %s", text, s.host.RegistryStr())
	}
	repository.Registry = s.host
	return repository, nil
}
