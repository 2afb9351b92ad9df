package rollout

import (
	"strings"
	"testing"
	"time"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube"
	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kube/kubetest"
)

const pulledImage = "registry.example:5000/team/datastorage:suite-1@sha256:500429401403404"

// A message as containerd has it, around what went wrong.
func containerdSays(what string) string {
	return `failed to pull and unpack image "` + pulledImage + `": failed to resolve reference "` + pulledImage + `": ` + what
}

func TestAPullThatFailsIsExplained(t *testing.T) {
	t.Parallel()
	const head = `failed to do request: Head "https://registry.example:5000/v2/team/datastorage/manifests/x": `
	for name, test := range map[string]struct {
		message      string
		hint         string
		passes, lost bool
	}{
		"not there":         {message: pulledImage + ": not found", hint: "does not have it", lost: true},
		"no login":          {message: "unexpected status from HEAD request to https://registry.example:5000/v2/: 401 Unauthorized", hint: "imagePullSecret"},
		"no right":          {message: "pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed", hint: "imagePullSecret"},
		"unknown authority": {message: head + "tls: failed to verify certificate: x509: certificate signed by unknown authority", hint: "/etc/containerd/certs.d/registry.example:5000/ on each node"},
		"no TLS":            {message: head + "http: server gave HTTP response to HTTPS client", hint: "certs.d/registry.example:5000/hosts.toml"},
		"asked too often":   {message: "unexpected status from HEAD request to https://registry.example:5000/v2/: 429 Too Many Requests", hint: "limits how often", passes: true},
		"unknown host":      {message: head + "dial tcp: lookup registry.example on 10.96.0.10:53: no such host", hint: "do not find a registry"},
		"its own host":      {message: head + "dial tcp 127.0.0.1:5000: connect: connection refused", hint: "localhost is the node itself"},
		"down":              {message: head + "dial tcp 172.18.0.5:5000: connect: connection refused", hint: "just now", passes: true},
		"failing":           {message: "unexpected status from HEAD request to https://registry.example:5000/v2/: 503 Service Unavailable", hint: "just now", passes: true},
		"another platform":  {message: `no match for platform in manifest: not found`, hint: "not for the platform"},
		"anything else":     {message: "the disk is full", passes: true},
	} {
		p := problem{image: pulledImage, message: containerdSays(test.message)}
		explainPull(&p)
		if p.atOnce == test.passes || p.inconsistent != test.lost || !strings.Contains(p.hint, test.hint) || (p.class == classPullAgain) != test.passes {
			t.Errorf("%s: %+v", name, p)
		}
	}
}

func TestAPullOfARecordedImageIsWaitedForAsLongAsItMayPass(t *testing.T) {
	t.Parallel()
	image := kubetest.Datastorage()
	image.Pulled, image.Image = true, pulledImage
	for _, test := range []struct {
		reason, message string
		fails           string
	}{
		{"ErrImagePull", containerdSays("dial tcp 172.18.0.5:5000: connect: connection refused"), ""},
		{"ImagePullBackOff", "Back-off pulling image", ""},
		{"ErrImagePull", containerdSays("x509: certificate signed by unknown authority"), "ErrImagePull"},
	} {
		d := kubetest.Deployment(pulledImage)
		target := &kube.Target{Images: []kube.Image{image}, Patched: true}
		var err error
		if target.Object, err = kube.AsObject(d); err != nil {
			t.Fatal(err)
		}
		j, now := newJudge(target), time.Now()
		pod := kubetest.Pod(kubetest.ReplicaSet(d, "1"), "p", pulledImage, kubetest.Waits(test.reason, test.message))
		for _, after := range []time.Duration{0, lastingAfter, time.Hour} {
			got := j.endIfLasting(view{}, containerProblems(pod, j.home, 3), now.Add(after))
			if reason := reasonOf(got); reason != test.fails {
				t.Errorf("%s %s after %s: %q", test.reason, test.message, after, reason)
			}
		}
	}
}

func reasonOf(v verdict) string {
	if v.failure == nil {
		return ""
	}
	return v.failure.Reason
}
