package registry

import (
	"context"
	"net/http"

	"github.com/google/go-containerregistry/pkg/v1/remote"
)

// Check tells whether the registry answers, and lets read a repository, before anything is
// built or read for it. A repository that is not there yet is no error: a push makes it.
func (s *Store) Check(ctx context.Context, repository string) error {
	repo, err := s.repository(repository)
	if err != nil {
		return err
	}
	_, err = s.puller.Head(ctx, repo.Tag("e2eimage-check"))
	err = s.failed(ctx, err, "read "+repository, repo)
	if is(err, NotFound) {
		return nil
	}
	return err
}

// CheckPush tells whether the registry lets push to a repository, like HOST/team/app, before an
// image is built or read for it. It begins an upload and gives it up at once.
func (s *Store) CheckPush(ctx context.Context, repository string) error {
	repo, err := s.repository(repository)
	if err != nil {
		return err
	}
	keychain := s.keychain
	if keychain == nil {
		keychain = &Keychain{}
	}
	err = remote.CheckPushPermission(repo.Tag("e2eimage-check"), keychain, &ending{ctx, s.guard})
	return s.failed(ctx, err, "push to "+repository, repo)
}

// ending ends requests with a context that the library does not take.
type ending struct {
	ctx  context.Context
	next http.RoundTripper
}

// RoundTrip implements http.RoundTripper.
func (e *ending) RoundTrip(request *http.Request) (*http.Response, error) {
	return e.next.RoundTrip(request.WithContext(e.ctx))
}
