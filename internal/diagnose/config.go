package diagnose

import (
	"errors"
	"io/fs"
	"os"
	"slices"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"

	"docker-credential-ecr-login/internal/failure"
)

// configuration explains what the configuration omits or names wrongly.
func (c cause) configuration() *failure.Failure {
	absent, isAbsent := errors.AsType[config.SharedConfigProfileNotExistError](c.err)
	empty, isEmpty := errors.AsType[config.SharedConfigAssumeRoleError](c.err)
	switch {
	case errors.Is(c.err, ErrNoRegion) && c.Last.Status == 401:
		return Misconfigured("set AWS_REGION, or region in the profile; or "+hopLimit,
			"no region is configured, and the instance metadata service names none, since it wants a session token (401), which did not come through")
	case errors.Is(c.err, ErrNoRegion):
		return Misconfigured("set AWS_REGION, or region in the profile",
			"no region is configured, and the instance metadata service names none")
	case errors.Is(c.err, ErrNoIdentityToken):
		return Misconfigured("set it for the process that starts this helper",
			"%s: %s is to be assumed with the web identity token in %s, which is not set",
			c.Where, c.Principal.RoleARN, c.Principal.WebIdentityTokenEnv)
	case isEmpty && isAbsent:
		return Misconfigured("add it, or let source_profile name one that is there",
			"profile %q names the source_profile %q, which is not in %s", empty.Profile, absent.Profile, c.Files)
	case isAbsent && absent.Profile == c.Principal.Profile:
		return Misconfigured("add it there, or name one that is there",
			"%s: there is no profile %q in %s", c.Where, absent.Profile, c.Files)
	case isAbsent:
		return Misconfigured("add it, or set AWS_PROFILE to one that is there",
			"there is no profile %q in %s", absent.Profile, c.Files)
	case isEmpty:
		return Misconfigured("give that profile credentials, let source_profile name another, or set credential_source in its place",
			"%s is to be assumed with the credentials of profile %s, which has none", empty.RoleARN, empty.Profile)
	case isA[*credentials.StaticCredentialsEmptyError](c):
		return Misconfigured("set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
			"the profile takes its credentials from the environment (credential_source = Environment), and there are none")
	case isA[config.AssumeRoleTokenProviderNotSetError](c):
		return Misconfigured("use a profile without mfa_serial, or SSO",
			"the profile wants an MFA code (mfa_serial), and a credential helper has nobody to ask")
	}
	return nil
}

// file explains a file that the configuration names and that can't be opened, such as a CA bundle
// or a web identity token.
func (c cause) file() *failure.Failure {
	file, ok := errors.AsType[*fs.PathError](c.err)
	if !ok && noRequest(c) {
		file = c.UnreadableToken
	}
	if file == nil || file.Op != "open" {
		return nil
	}
	who := "the AWS configuration"
	if file.Path == c.Principal.WebIdentityTokenFile {
		who = c.Where
	}
	return Misconfigured("mount it, or mend what names it", "%s names %s, which can't be read: %v", who, file.Path, file.Err)
}

// login explains sessions of SSO and "aws login" that are absent or have ended.
func (c cause) login() *failure.Failure {
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
		return failure.New(failure.Denied, "ask for the role to be assigned, or choose another profile",
			"SSO refuses profile %s the role %s in account %s", l.Profile, l.Role, l.Account)
	case c.Last.Host != "" && !hasEnded(c):
		return nil // of the service or the network, not of the session
	case errors.Is(err, fs.ErrNotExist):
		return failure.New(failure.Expired, "run: "+l.Command,
			"nobody is logged in for profile %s: there is no %s", l.Profile, l.File)
	}
	return failure.New(failure.Expired, "run: "+l.Command, "the login for profile %s has ended", l.Profile)
}
