package e2eimage

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"errors"
	"fmt"
	"slices"

	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/e2eimage/kubectl-e2eimage/pkg/internal/kindnode"
)

// checkRightCluster compares the certificate authority of every node with the
// API server's. Names prove nothing: twins on two providers have equal ones.
// The kubeconfig's own CA bundle is the API server's, since the connection
// rests on it; where it has none (a proxy, skipped verification), the API
// server is asked for kube-root-ca.crt, which every namespace has.
func (k *apiServer) checkRightCluster(ctx context.Context, place *place,
	states kindnode.States,
) error {
	if k == nil || place.nodes == nil {
		// Nobody asks an API server, or there are no nodes: nothing can be another's.
		return nil
	}
	cluster := place.nodes
	bundle, err := authority(k.config)
	if err != nil {
		return err
	}
	states = within("", states)
	strangers := notTrusted(bundle, states)
	if len(strangers) > 0 {
		configMap, err := k.CoreV1().ConfigMaps(k.namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
		switch {
		case err == nil:
			strangers = notTrusted([]byte(configMap.Data["ca.crt"]), states)
		case len(bundle) == 0 && apierrors.ReasonForError(err) == metav1.StatusReasonUnknown:
			// It did not answer at all: nothing says that it is another's.
			return fmt.Errorf("cannot tell whether this is the API server of Kind cluster %q: %w", cluster.Name, err)
		}
	}
	if len(strangers) == 0 {
		return nil
	}
	wrong := &Error{
		Code: CodeWrongCluster, Node: strangers[0],
		Fix: fmt.Sprintf("change the kube context (kubectl config use-context %s%s), or say the right cluster with "+
			"--kind-cluster and --provider", kindContext, cluster.Name),
	}
	return &InconsistentError{wrong.says("the API server %s does not belong to Kind cluster %q on %s: node %s has "+
		"another certificate authority", k.config.Host, cluster.Name, cluster.Provider, strangers[0])}
}

// notTrusted returns the nodes whose CA is not in the bundle.
func notTrusted(bundle []byte, states kindnode.States) []string {
	var strangers []string
	for node, state := range states.All() {
		if !shareCertificate(bundle, state.CA) {
			strangers = append(strangers, node)
		}
	}
	return strangers
}

// shareCertificate tells whether a certificate is in both bundles.
func shareCertificate(one, other []byte) bool {
	known := certificates(one)
	return slices.ContainsFunc(certificates(other), func(certificate *x509.Certificate) bool {
		return slices.ContainsFunc(known, certificate.Equal)
	})
}

// fingerprint identifies the cluster, by the certificate authority of its nodes, where they are
// known, else by that of its API server: names come back.
func (k *apiServer) fingerprint(ctx context.Context, states kindnode.States) (string, error) {
	var bundles [][]byte
	for _, state := range states.All() {
		bundles = append(bundles, state.CA)
	}
	if len(within("", states)) == 0 {
		trusted, err := authority(k.config)
		if err != nil {
			return "", err
		}
		bundles = append(bundles, trusted)
		if len(certificates(trusted)) == 0 {
			configMap, err := k.CoreV1().ConfigMaps(k.namespace).Get(ctx, "kube-root-ca.crt", metav1.GetOptions{})
			if err == nil {
				bundles = append(bundles, []byte(configMap.Data["ca.crt"]))
			}
		}
	}
	for _, bundle := range bundles {
		for _, ca := range certificates(bundle) {
			sum := sha256.Sum256(ca.Raw)
			return "sha256:" + hex.EncodeToString(sum[:]), nil
		}
	}
	if len(within("", states)) == 0 {
		// One without a certificate authority of its own has an address all the same.
		sum := sha256.Sum256([]byte(k.config.Host))
		return "sha256:" + hex.EncodeToString(sum[:]), nil
	}
	return "", errors.New("no node says its certificate authority")
}

func certificates(bundle []byte) []*x509.Certificate {
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, bundle = pem.Decode(bundle); block == nil {
			return all
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, certificate)
		}
	}
}
