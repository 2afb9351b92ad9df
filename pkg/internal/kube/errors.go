package kube

import (
	"fmt"
	"regexp"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/e2eimage/kubectl-e2eimage/internal/foreign"
)

// roleDenial tells RBAC from quotas, webhooks and policies, which forbid, too
// (k8s.io/apiserver/pkg/endpoints/handlers/responsewriters/errors.go).
var roleDenial = regexp.MustCompile(`User "[^"]*" cannot `)

// DeniedByRole tells whether the user lacks a right, by which the API server answers.
func DeniedByRole(err error) bool {
	return apierrors.IsForbidden(err) && roleDenial.MatchString(err.Error())
}

// ExplainAPI says what was asked of the API server; what is forbidden is in its
// own words: user, verb, resource and namespace.
func ExplainAPI(asked string, err error) error {
	// It may quote objects, which have values of variables in them.
	err = foreign.Error(err)
	if DeniedByRole(err) {
		return fmt.Errorf("may not %s: %w\nthe Role that is needed is in docs/rbac.md", asked, err)
	}
	return fmt.Errorf("%s: %w", asked, err)
}
