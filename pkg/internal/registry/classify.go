package registry

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"net/http"
	"slices"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"
)

// failed puts what went wrong with a registry into an Error. What ended by its context stays
// that.
func (s *Store) failed(ctx context.Context, err error, doing string, repository name.Repository) error {
	if err == nil {
		return nil
	}
	if cause := context.Cause(ctx); cause != nil {
		return cause
	}
	if known := (*Error)(nil); errors.As(err, &known) {
		return err
	}
	wrong := &Error{
		Host: repository.RegistryStr(), Repository: repository.RepositoryStr(),
		Doing: doing, Credentials: s.keychain.source(repository), Err: err,
	}
	host := repository.RegistryStr()
	wrong.Reason, wrong.Status = reason(err, s.guard.plain[host] || isLoopback(host))
	return wrong
}

// reason is why a registry did not do it; mayBePlain is set where it may do without TLS, so that
// this is not why.
func reason(err error, mayBePlain bool) (why Reason, status int) {
	var plain *plainError
	var large *tooLargeError
	var answer *transport.Error
	switch {
	case errors.As(err, &large):
		return TooLarge, 0
	// A registry at a private address is asked by https first: what came of that counts.
	case isUntrusted(err):
		return Untrusted, 0
	case speaksPlain(err) && !mayBePlain:
		return PlainHTTP, 0
	case errors.As(err, &answer):
		return answered(answer), answer.StatusCode
	case errors.As(err, new(*net.OpError)), errors.As(err, new(*net.DNSError)), isTimeout(err):
		return Unreachable, 0
	case errors.As(err, &plain):
		return PlainHTTP, 0
	}
	return Failed, 0
}

func isUntrusted(err error) bool {
	return errors.As(err, new(*tls.CertificateVerificationError)) || errors.As(err, new(x509.UnknownAuthorityError)) ||
		errors.As(err, new(x509.HostnameError)) || errors.As(err, new(x509.CertificateInvalidError))
}

// speaksPlain knows what the client says of a server without TLS. It has no type for it.
func speaksPlain(err error) bool {
	return errors.As(err, new(tls.RecordHeaderError)) ||
		strings.Contains(err.Error(), http.ErrSchemeMismatch.Error())
}

func isTimeout(err error) bool {
	var late interface{ Timeout() bool }
	return errors.As(err, &late) && late.Timeout()
}

func answered(answer *transport.Error) Reason {
	has := func(code transport.ErrorCode) bool {
		return slices.ContainsFunc(answer.Errors, func(one transport.Diagnostic) bool { return one.Code == code })
	}
	switch status := answer.StatusCode; {
	case status == http.StatusTooManyRequests || has(transport.TooManyRequestsErrorCode):
		return RateLimited
	case status == http.StatusMethodNotAllowed || status == http.StatusNotImplemented ||
		has(transport.UnsupportedErrorCode):
		return Unsupported
	case status == http.StatusUnauthorized || has(transport.UnauthorizedErrorCode):
		return Unauthorized
	case status == http.StatusForbidden || has(transport.DeniedErrorCode):
		return Forbidden
	case status == http.StatusNotFound:
		return NotFound
	case status >= http.StatusInternalServerError:
		return Unavailable
	}
	return Failed
}

// is tells whether a registry failed for that reason.
func is(err error, reason Reason) bool {
	var failed *Error
	return errors.As(err, &failed) && failed.Reason == reason
}

// deletionRefused knows how registries say that they do not take tags away: some call a tag an
// invalid digest, since they delete by digest only.
func deletionRefused(err error) error {
	var failed *Error
	var answer *transport.Error
	if !errors.As(err, &failed) || !errors.As(err, &answer) || answer.StatusCode != http.StatusBadRequest {
		return err
	}
	unsupported := *failed
	unsupported.Reason = Unsupported
	return &unsupported
}
