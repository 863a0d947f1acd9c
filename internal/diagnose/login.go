package diagnose

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"docker-credential-ecr-login/cache"
)

// login explains sessions of SSO and "aws login" that are absent or have ended.
func (c cause) login() *cache.Failure {
	l, service := c.Login, c.Last.Service
	// After the request of another service the session was good, and what came later has failed.
	if l == nil || !slices.Contains([]string{"SSO", "SSO OIDC", "Signin", ""}, service) {
		return nil
	}
	hasEnded := status(401)
	if service != "SSO" {
		hasEnded = status(400, 401, 403) // the answers to the refresh of a session that has ended
	}
	_, err := os.Stat(l.File)
	switch {
	case service == "SSO" && c.Last.Status == 403:
		return failure(cache.Denied, "ask for the role to be assigned, or choose another profile",
			"SSO refuses profile %s the role %s in account %s", l.Profile, l.Role, l.Account)
	case c.Last.Host != "" && !hasEnded(c):
		return nil // of the service or the network, not of the session
	case errors.Is(err, fs.ErrNotExist):
		return failure(cache.Expired, "run: "+l.Command,
			"nobody is logged in for profile %s: there is no %s", l.Profile, l.File)
	}
	return failure(cache.Expired, "run: "+l.Command, "the login for profile %s has ended", l.Profile)
}
