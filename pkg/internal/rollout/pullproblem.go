package rollout

import (
	"fmt"
	"slices"
	"strings"

	corev1 "k8s.io/api/core/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
)

// home is where a container's image is to come from.
type home int

const (
	// elsewhere: it is no recorded image.
	elsewhere home = iota
	// onNodes: it is recorded, and never pulled.
	onNodes
	// inRegistry: it is recorded, and pulled.
	inRegistry
)

// home tells whether a reference is one of the images of this workload, and where that is.
func (j *judge) home(reference string) home {
	for _, image := range j.images {
		if image.Is(reference) {
			return homeOf(image)
		}
	}
	return elsewhere
}

func homeOf(image kube.Image) home {
	if image.Pulled {
		return inRegistry
	}
	return onNodes
}

// pullFailure is a reason why nodes cannot pull, by words of their runtimes: containerd's and
// CRI-O's, in lower case.
type pullFailure struct {
	words []string
	// hint has %s where the registry's host goes.
	hint string
	// passes: the kubelet tries again, and may come through.
	passes bool
	// lost: the registry does not have what the record says.
	lost bool
}

// pullFailures, the more telling ones first: a message has several of the words.
func pullFailures() []pullFailure {
	return []pullFailure{
		{
			words: []string{"toomanyrequests", "too many requests"}, passes: true,
			hint: "registry %s limits how often is pulled; the kubelet tries again, " +
				"and a login by imagePullSecrets raises the limit",
		},
		{
			words: []string{"x509:", "failed to verify certificate", "certificate signed by"},
			hint: "the nodes do not trust the certificate of registry %s; give its CA to their runtime: " +
				"/etc/containerd/certs.d/%[1]s/ on each node",
		},
		{
			words: []string{"server gave http response to https client"},
			hint: "registry %s has no TLS, and the nodes were not told so; say it to their runtime: " +
				"/etc/containerd/certs.d/%[1]s/hosts.toml on each node",
		},
		{
			words: []string{"no match for platform", "no matching manifest for", "no image found in"},
			hint:  "the image in registry %s is not for the platform of the node; build it for that, too",
		},
		{
			words: []string{
				"unauthorized", "forbidden", "authorization failed", "authentication required", "access denied",
				"no basic auth credentials", "insufficient_scope", "failed to authorize",
			},
			hint: "registry %s does not let the nodes pull; give the pods an imagePullSecret for it, or the nodes a login",
		},
		{
			words: []string{"no such host", "dial tcp 127.0.0.1:", "dial tcp [::1]:"},
			hint: "the nodes do not find a registry at %s: localhost is the node itself there; record the image with the " +
				"address that nodes use, or tell their runtime where it is: /etc/containerd/certs.d/%[1]s/hosts.toml on each node",
		},
		{
			words: []string{
				"connection refused", "connection reset", "i/o timeout", "timed out", "deadline exceeded", "no route to host",
				"unreachable", "handshake timeout", "unexpected eof", ": eof", "internal server error", "bad gateway",
				"service unavailable", "gateway timeout", "server misbehaving", "temporary failure",
			},
			hint: "the nodes do not reach registry %s just now, and the kubelet tries again", passes: true,
		},
		{
			words: []string{"not found", "manifest unknown", "name unknown"}, lost: true,
			hint: "registry %s does not have it for the nodes; load and tag it again, and if it is there, make sure that the " +
				"nodes ask the same registry",
		},
	}
}

// explainPull says of a recorded image that was not pulled whether that may pass, and what to do.
// What is not known may pass.
func explainPull(p *problem) {
	message, host := withoutName(p.message, p.image), hostOf(p.image)
	for _, failure := range pullFailures() {
		for _, word := range failure.words {
			if strings.Contains(message, word) {
				p.hint, p.atOnce, p.inconsistent = fmt.Sprintf(failure.hint, host), !failure.passes, failure.lost
				if failure.passes {
					p.class = classPullAgain
				}
				return
			}
		}
	}
	p.class = classPullAgain
}

// hintOfPull says what to do where time ran out while an image was still to be pulled.
func (e *FailedError) hintOfPull(t *kube.Target, cause *problem, events []corev1.Event) {
	at := slices.IndexFunc(t.Images, func(image kube.Image) bool { return image.Pulled && image.Is(e.Image) })
	if at < 0 || cause == nil || e.Hint != "" || !strings.Contains(cause.message, "ImagePull") {
		return
	}
	pull := problem{message: pullCause("Back-off pulling image", events) + cause.message, image: e.Image}
	explainPull(&pull)
	e.Hint = pull.hint
}

// withoutName is a message in lower case, without the image in it, whose digest and host may
// have any digits.
func withoutName(message, image string) string {
	repository, digest, _ := strings.Cut(image, "@")
	for _, part := range []string{image, digest, repository} {
		if part != "" {
			message = strings.ReplaceAll(message, part, "IMAGE")
		}
	}
	return strings.ToLower(message)
}

// hostOf is the registry of a reference.
func hostOf(image string) string {
	host, _, _ := strings.Cut(image, "/")
	return host
}
