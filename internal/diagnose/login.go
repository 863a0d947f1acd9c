package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"os"
	"slices"

	"docker-credential-ecr-login/cache"
)

// ofLogin tells of SSO and "aws login" sessions that are absent or have ended.
func (c Facts) ofLogin(error) *cache.Failure {
	l := c.Login
	last := c.Last
	isSession := slices.Contains([]string{"SSO", "SSO OIDC", "Signin", ""}, last.Service)
	if l == nil || !isSession { // without the latter the session was good, and what came after it failed
		return nil
	}
	// The refresh of a login says 400 or 403 where that has ended.
	refused := last.Status == http.StatusUnauthorized ||
		last.Service != "SSO" && (last.Status == http.StatusBadRequest || last.Status == http.StatusForbidden)
	switch {
	case last.Service == "SSO" && last.Status == http.StatusForbidden:
		return &cache.Failure{
			Kind:   cache.Denied,
			Reason: fmt.Sprintf("SSO refuses profile %s the role %s in account %s", l.Profile, l.Role, l.Account),
			Hint:   "ask for the role to be assigned, or choose another profile",
		}
	case last.Host != "" && !refused:
		return nil // of the service or the network, not of the session
	}
	what := fmt.Sprintf("the login for profile %s has ended", l.Profile)
	if _, err := os.Stat(l.File); errors.Is(err, fs.ErrNotExist) {
		what = fmt.Sprintf("nobody is logged in for profile %s: there is no %s", l.Profile, l.File)
	}
	return &cache.Failure{Kind: cache.Expired, Reason: what, Hint: "run: " + l.Command}
}
