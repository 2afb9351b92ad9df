package e2eimage

import (
	"context"
	"errors"
	"fmt"
	"sync"

	"github.com/e2eimage/kubectl-e2eimage/internal/version"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/images"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/record"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/registry"
)

// registryStore is a registry as one part of a place. A registry lists no names and knows no
// owners: what it is to be asked for is found out each time that it is asked.
type registryStore struct {
	client *Client
	choice registry.Choice
	store  *registry.Store
	// asks tells what to ask for.
	asks func(context.Context, registry.Choice) (registry.Asks, error)

	mu sync.Mutex
	// part is what was asked for last.
	part *registry.Part
	// kept is set once it was said that the registry keeps tags.
	kept bool
}

var _ imageStore = (*registryStore)(nil)

func (c *Client) openRegistry(choice registry.Choice,
	asks func(context.Context, registry.Choice) (registry.Asks, error),
) (*registryStore, error) {
	options := registry.Options{
		Host: choice.Host(), PlainHTTP: choice.PlainHTTP, Certificates: c.options.Registries.Certificates,
		UserAgent: version.Read().UserAgent(),
	}
	if len(c.options.Registries.Credentials) > 0 {
		options.Keychain = &registry.Keychain{Files: c.options.Registries.Credentials}
	}
	store, err := registry.Open(options)
	if err != nil {
		return nil, err
	}
	return &registryStore{client: c, choice: choice, store: store, asks: asks}, nil
}

// current is what was asked for last.
func (s *registryStore) current() *registry.Part {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.part == nil {
		s.part = registry.NewPart(s.store, s.choice, registry.Asks{})
	}
	return s.part
}

// anew finds out what to ask for.
func (s *registryStore) anew(ctx context.Context, probe func(*registry.Part) (images.States, error),
) (images.States, error) {
	asks, err := s.asks(ctx, s.choice)
	if err != nil {
		return nil, err
	}
	part := registry.NewPart(s.store, s.choice, asks)
	states, err := probe(part)
	if err != nil {
		return nil, s.explain(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.part = part
	return states, nil
}

// Names implements imageStore.
func (s *registryStore) Names() []string { return []string{s.choice.Part()} }

// Close implements imageStore.
func (s *registryStore) Close() { s.store.Close() }

// Probe implements imageStore.
func (s *registryStore) Probe(ctx context.Context) (images.States, error) {
	return s.anew(ctx, func(part *registry.Part) (images.States, error) { return part.Probe(ctx) })
}

// ProbeContent implements imageStore.
func (s *registryStore) ProbeContent(ctx context.Context) (images.States, error) {
	return s.anew(ctx, func(part *registry.Part) (images.States, error) { return part.ProbeContent(ctx) })
}

// ProbeUse implements imageStore.
func (s *registryStore) ProbeUse(ctx context.Context) (images.States, error) { return s.Probe(ctx) }

// Containers implements imageStore.
func (s *registryStore) Containers(ctx context.Context, parts []string) (images.States, error) {
	return s.current().Containers(ctx, parts)
}

// Deliver implements imageStore.
func (s *registryStore) Deliver(ctx context.Context, what images.Delivering) images.Delivery {
	return s.current().Deliver(ctx, what)
}

// GiveNames implements imageStore.
func (s *registryStore) GiveNames(ctx context.Context, parts []string, imageID string, names []images.Name) error {
	return s.explain(s.current().GiveNames(ctx, parts, imageID, names))
}

// Tag implements imageStore.
func (s *registryStore) Tag(ctx context.Context, parts []string, ops []images.TagOp,
) (map[string][]images.Tagged, error) {
	tagged, err := s.current().Tag(ctx, parts, ops)
	return tagged, s.explain(err)
}

// Untag implements imageStore. A registry that keeps tags is no error: nothing can be done
// about it, and the record goes all the same.
func (s *registryStore) Untag(ctx context.Context, parts []string, ops []images.UntagOp,
) (map[string][]images.Untagged, error) {
	untagged, err := s.current().Untag(ctx, parts, ops)
	var refused *registry.Error
	if !errors.As(err, &refused) || refused.Reason != registry.Unsupported {
		return untagged, s.explain(err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.kept {
		s.client.report.Warn(fmt.Sprintf("registry %s does not let tags be taken away, so they stay there: %v",
			s.choice.Pull, refused.Err))
		s.kept = true
	}
	return untagged, nil
}

// Disown implements imageStore.
func (s *registryStore) Disown(ctx context.Context, parts []string, ops []images.UntagOp) error {
	return s.current().Disown(ctx, parts, ops)
}

// Free implements imageStore.
func (s *registryStore) Free(ctx context.Context, parts, imageIDs []string) error {
	return s.current().Free(ctx, parts, imageIDs)
}

// checkPush tells whether images can be pushed, before they are built or read.
func (s *registryStore) checkPush(ctx context.Context, repository string) error {
	here, ok := s.choice.Here(repository)
	if !ok {
		return nil
	}
	return s.explain(s.store.CheckPush(ctx, here))
}

// recorded is what a record says of an image ID that the registry has under a recorded name.
func (s *registryStore) recorded(imageID, name string) *record.Registry {
	says := s.said()
	content, ok := s.current().Stands(name)
	if !ok {
		if content, ok = s.current().Content(imageID); !ok {
			return says
		}
	}
	says.Digest = content.Digest
	for _, image := range content.Images {
		says.Images = append(says.Images, record.PlatformImage{
			Platform: image.Platform, Manifest: image.Manifest, Config: image.Config,
		})
	}
	return says
}

// said is the registry as a record has it, without an image.
func (s *registryStore) said() *record.Registry {
	says := &record.Registry{Pull: s.choice.Pull}
	if said := s.choice.Said(); said != says.Pull {
		says.Push = said
	}
	return says
}

// explain adds to what a registry did not do what to do about it.
func (s *registryStore) explain(err error) error {
	var failed *registry.Error
	if !errors.As(err, &failed) || as[*Error](err) {
		return err
	}
	found := &Error{Code: CodeRegistry, Fix: s.cure(failed)}
	return found.says("%w", err)
}

func (s *registryStore) cure(failed *registry.Error) string {
	host := s.choice.Host()
	switch failed.Reason {
	case registry.Unauthorized:
		return fmt.Sprintf("log in: docker login %s, or podman login %s", host, host)
	case registry.Forbidden:
		return fmt.Sprintf("log in as who may do that, or choose another path: --registry %s/PATH", host)
	case registry.Untrusted:
		return fmt.Sprintf("trust it: put its CA into /etc/docker/certs.d/%s/ca.crt, or the same folder in "+
			"~/.config/containers/certs.d", host)
	case registry.PlainHTTP:
		return "if it is to do without TLS: --registry http://" + s.choice.Push
	case registry.Unreachable:
		return "start it, or choose another: --registry HOST[:PORT][/PATH]"
	case registry.RateLimited, registry.Unavailable:
		return "wait a while, and run again"
	case registry.NotFound:
		return "make the repository, where the registry wants that done before a push"
	}
	return ""
}
