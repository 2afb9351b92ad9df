package registry

import (
	"cmp"
	"fmt"
	"strings"

	"github.com/opencontainers/go-digest"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/ociimage"
)

// Reason is why a registry did not do what was asked of it.
type Reason int

// Why a registry did not do it.
const (
	// Failed: none of the others.
	Failed Reason = iota
	// NotFound: it has no such repository, tag or blob, or does not say so to everybody.
	NotFound
	// Unauthorized: it wants a login, or does not accept the one that it got.
	Unauthorized
	// Forbidden: it knows who asks, and does not let them.
	Forbidden
	// Untrusted: its certificate is not trusted here, or is for another host.
	Untrusted
	// PlainHTTP: it has no TLS, and nobody said that it may do without.
	PlainHTTP
	// RateLimited: it was asked too often.
	RateLimited
	// Unreachable: nobody answers at its address.
	Unreachable
	// Unavailable: it answers that it cannot answer now.
	Unavailable
	// Unsupported: it does not do such things.
	Unsupported
	// TooLarge: what it sent is larger than what describes an image can be.
	TooLarge
)

// Error is what a registry did not do, and why.
type Error struct {
	Reason Reason
	// Host with its port, Repository without its host; "" where all of the registry is meant.
	Host, Repository string
	// Doing is what was wanted, like "read HOST/team/app:dev".
	Doing string
	// Credentials is the file that has those which the registry got, "" for none.
	Credentials string
	// Status is the HTTP status it answered with, 0 for none.
	Status int
	// Err is the registry's or the network's own word.
	Err error
}

func (e *Error) Error() string {
	return fmt.Sprintf("could not %s: %s", e.Doing, e.why())
}

func (e *Error) why() string {
	login := "there are no credentials for it"
	if e.Credentials != "" {
		login = "with the credentials of " + e.Credentials
	}
	switch e.Reason {
	case NotFound:
		return fmt.Sprintf("registry %s does not have it", e.Host)
	case Unauthorized:
		if e.Credentials == "" {
			return fmt.Sprintf("registry %s wants a login, and %s", e.Host, login)
		}
		return fmt.Sprintf("registry %s does not accept the login in %s", e.Host, e.Credentials)
	case Forbidden:
		return fmt.Sprintf("registry %s does not allow it; %s: %s", e.Host, login, own(e.Err))
	case Untrusted:
		return fmt.Sprintf("the certificate of registry %s is not trusted: %s", e.Host, own(e.Err))
	case PlainHTTP:
		return fmt.Sprintf("registry %s has no TLS, and plain http is only for loopback and where it is said", e.Host)
	case RateLimited:
		return fmt.Sprintf("registry %s was asked too often: %s", e.Host, own(e.Err))
	case Unreachable:
		return fmt.Sprintf("registry %s cannot be reached: %s", e.Host, own(e.Err))
	case Unavailable:
		return fmt.Sprintf("registry %s failed with status %d: %s", e.Host, e.Status, own(e.Err))
	case Unsupported:
		return fmt.Sprintf("registry %s does not support it: %s", e.Host, own(e.Err))
	}
	return fmt.Sprintf("registry %s: %s", e.Host, own(e.Err))
}

// Unwrap returns the cause.
func (e *Error) Unwrap() error { return e.Err }

// maxOwn bounds what is repeated of a registry's words, in bytes: proxies answer with pages.
const maxOwn = 300

// own are a registry's words on one line.
func own(err error) string {
	if err == nil {
		return "no reason given"
	}
	text := strings.Join(strings.Fields(err.Error()), " ")
	if len(text) > maxOwn {
		text = strings.ToValidUTF8(text[:maxOwn], "") + "…"
	}
	return text
}

// TakenError says that a tag stands for other content, which it may not leave.
type TakenError struct {
	// Name like HOST/team/app:dev.
	Name string
	// Digest that it stands for.
	Digest digest.Digest
}

func (e *TakenError) Error() string {
	return fmt.Sprintf("%s is another image in the registry already, %s", e.Name, ociimage.ShortID(e.Digest.String()))
}

// MovedError says that somebody else moved a tag at the same time.
type MovedError struct {
	Name string
	// Digest that it stands for now, "" where it is gone.
	Digest digest.Digest
}

func (e *MovedError) Error() string {
	return fmt.Sprintf("somebody else gave %s to %s at the same time", e.Name,
		cmp.Or(string(e.Digest), "nothing"))
}

// LostError says that a registry lost content between being asked for it and using it.
type LostError struct {
	Name   string
	Digest digest.Digest
}

func (e *LostError) Error() string {
	return fmt.Sprintf("the registry lost %s of %s meanwhile; push it again", ociimage.ShortID(e.Digest.String()), e.Name)
}
