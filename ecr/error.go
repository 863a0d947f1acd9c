package ecr

import (
	"errors"
	"fmt"

	"github.com/docker/docker-credential-helpers/credentials"

	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/registrymap"
	"docker-credential-ecr-login/internal/tokensource"
)

// Kind sorts errors by what may be done about them.
type Kind = failure.Kind

const (
	// Denied: AWS knows the principal, or the key, and refuses.
	Denied = failure.Denied
	// Expired: a login, a session or a web identity token has expired.
	Expired = failure.Expired
	// Timeout: nobody answered in time.
	Timeout = failure.Timeout
	// Unavailable: the answer was of no use, such as a 503, throttling, or a credential process that
	// failed. To try again may help.
	Unavailable = failure.Unavailable
	// Misconfigured: the settings, the registry map or the AWS configuration can't work as they are.
	Misconfigured = failure.Misconfigured
)

// Error says why there is no token. It holds no secret.
type Error struct {
	Kind Kind
	// Host is the registry's or the alias, empty if the error is about none.
	Host string
	// Reason says in one line what failed, on what and why, with AWS's error code. Hint says what to do
	// about it; it may be empty.
	Reason, Hint string

	cause error
}

// Unwrap returns what caused the error, such as that of a context that has ended.
func (e *Error) Unwrap() error { return e.cause }

// Error returns host, reason and hint in one line.
func (e *Error) Error() string {
	text := e.Reason
	if e.Host != "" {
		text = e.Host + ": " + text
	}
	if e.Hint != "" {
		text += "; " + e.Hint
	}
	return text
}

// newError returns the error of a host. What isn't a failure to get a token is one of the settings.
func newError(host string, err error) *Error {
	var why *failure.Failure
	if errors.As(err, &why) {
		return &Error{why.Kind, host, why.Reason, why.Hint, err}
	}
	return &Error{Kind: Misconfigured, Host: host, Reason: err.Error(), cause: err}
}

// notFound returns an error that clients take for "no credentials", with the reason.
func notFound(reason *Error) error {
	return fmt.Errorf("%w: %w", credentials.NewErrCredentialsNotFound(), reason)
}

// translated returns an error of a target as callers of this package know it.
func translated(target registrymap.Target, err error) error {
	switch {
	case err == nil:
		return nil
	case err == tokensource.ErrOtherHost:
		return credentials.NewErrCredentialsNotFound()
	case target.Host == "": // it may be an alias in settings that can't be read
		return notFound(newError("", err))
	default:
		return newError(target.Host, err)
	}
}
