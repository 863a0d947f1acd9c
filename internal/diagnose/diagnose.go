// Package diagnose turns an error into its cause, its kind and a hint.
package diagnose

import (
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/smithy-go"

	"docker-credential-ecr-login/cache"
)

// Failure turns an error of the SDK into one line that a person can act on. The
// SDK's own text is never shown: it runs to screens and can hold secrets, such as
// the whole output of a credential process.
func Failure(err error, facts Facts) *cache.Failure { return facts.diagnose(err) }

func (c Facts) diagnose(err error) *cache.Failure {
	for _, diagnose := range []func(error) *cache.Failure{
		c.ofConfig, c.ofLogin, c.ofFile, c.ofMetadata, c.ofContainer, c.ofAPI, c.ofNetwork,
	} {
		if f := diagnose(err); f != nil {
			return f
		}
	}
	last := c.Last
	if last.Host == "" {
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: "the AWS configuration can't be used: " + configProblem(err),
			Hint:   "mend the environment or the files it names",
		}
	}
	return &cache.Failure{
		Kind:   cache.Unavailable,
		Reason: fmt.Sprintf("%s gave an answer that is of no use (status %d): %s", last.Host, last.Status, shape(err)),
		Hint:   "see whether a proxy or portal answers in its place",
	}
}

// configProblem is the SDK's word for what is wrong before anything was asked.
// It names files, profiles and values, but a URL can hold a password.
func configProblem(err error) string {
	var bad *url.Error
	if errors.As(err, &bad) {
		return "a URL in it can't be read"
	}
	return err.Error()
}

// shape is the part of an error that is known to hold nothing of the answer.
func shape(err error) string {
	var op *smithy.OperationError
	var bad *smithy.DeserializationError
	switch {
	case errors.As(err, &bad):
		return "it isn't what AWS sends"
	case errors.As(err, &op):
		return op.OperationName + " failed"
	default:
		return err.Error()
	}
}

func (c Facts) ofConfig(err error) *cache.Failure {
	if errors.Is(err, ErrNoRegion) {
		f := &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: "no region is configured, and the instance metadata service names none",
			Hint:   "set AWS_REGION, or region in the profile",
		}
		if last := c.Last; last.Status == http.StatusUnauthorized {
			f.Reason += ", since it wants a session token (401), which did not come through"
			f.Hint += "; or " + hopLimit
		}
		return f
	}
	if errors.Is(err, ErrNoIdentityToken) {
		return &cache.Failure{
			Kind: cache.Misconfigured,
			Reason: fmt.Sprintf("%s: %s is to be assumed with the web identity token in %s, which is not set",
				c.Where, c.Principal.RoleARN, c.Principal.WebIdentityTokenEnv),
			Hint: "set it for the process that starts this helper",
		}
	}
	var absent config.SharedConfigProfileNotExistError
	var empty config.SharedConfigAssumeRoleError
	switch {
	case errors.As(err, &empty) && errors.As(err, &absent):
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: fmt.Sprintf("profile %q names the source_profile %q, which is not in %s", empty.Profile, absent.Profile, c.Files),
			Hint:   "add it, or let source_profile name one that is there",
		}
	case errors.As(err, &absent) && absent.Profile == c.Principal.Profile:
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: fmt.Sprintf("%s: there is no profile %q in %s", c.Where, absent.Profile, c.Files),
			Hint:   "add it there, or name one that is there",
		}
	case errors.As(err, &absent):
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: fmt.Sprintf("there is no profile %q in %s", absent.Profile, c.Files),
			Hint:   "add it, or set AWS_PROFILE to one that is there",
		}
	case errors.As(err, &empty):
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: fmt.Sprintf("%s is to be assumed with the credentials of profile %s, which has none", empty.RoleARN, empty.Profile),
			Hint:   "give that profile credentials, let source_profile name another, or set credential_source in its place",
		}
	}
	var noKeys *credentials.StaticCredentialsEmptyError
	if errors.As(err, &noKeys) {
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: "the profile takes its credentials from the environment (credential_source = Environment), and there are none",
			Hint:   "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY",
		}
	}
	var mfa config.AssumeRoleTokenProviderNotSetError
	if errors.As(err, &mfa) {
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: "the profile wants an MFA code (mfa_serial), and a credential helper has nobody to ask",
			Hint:   "use a profile without mfa_serial, or SSO",
		}
	}
	return nil
}

// ofFile tells of a file that the configuration names and that isn't there, such
// as a CA bundle or a web identity token.
func (c Facts) ofFile(err error) *cache.Failure {
	var file *fs.PathError
	errors.As(err, &file)
	if last := c.Last; file == nil && last.Host == "" {
		// The SDK drops the cause where it can't read a token.
		for _, path := range c.TokenFiles {
			if _, err := os.ReadFile(path); err != nil {
				errors.As(err, &file)
			}
		}
	}
	if file == nil || file.Op != "open" {
		return nil
	}
	who := "the AWS configuration"
	if file.Path == c.Principal.WebIdentityTokenFile {
		who = c.Where
	}
	return &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: fmt.Sprintf("%s names %s, which can't be read: %v", who, file.Path, file.Err),
		Hint:   "mount it, or mend what names it",
	}
}

// innermost returns the operation that failed: the SDK wraps the steps of the
// chain into each other.
func innermost(err error) *smithy.OperationError {
	var found *smithy.OperationError
	for op := new(smithy.OperationError); errors.As(err, &op); err = op.Err {
		found = op
	}
	return found
}
