// Package diagnose explains why there is no token: it turns an error of the AWS SDK into a kind, a
// reason and a hint. It sends no request; what it knows beside the error are plain [Facts].
package diagnose

import (
	"errors"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/smithy-go"

	"docker-credential-ecr-login/internal/failure"
	"docker-credential-ecr-login/internal/identity"
)

// Explain explains an error in one line that a person can act on. It doesn't repeat the SDK's own
// text of a request: that is long and can hold secrets, such as the whole output of a credential
// process. The caller removes the secrets that it knows.
func Explain(err error, facts Facts) *failure.Failure {
	c := cause{Facts: facts, err: err, code: facts.Last.Code}
	for _, explain := range []func(cause) *failure.Failure{
		cause.configuration, cause.login, cause.file, cause.metadata, cause.container, cause.api, cause.network,
	} {
		if f := explain(c); f != nil {
			return f
		}
	}
	if c.Last.Host == "" {
		return Misconfigured("mend the environment or the files it names",
			"the AWS configuration can't be used: %s", configProblem(err))
	}
	return failure.New(failure.Unavailable, "see whether a proxy or portal answers in its place",
		"%s gave an answer that is of no use (status %d): %s", c.Last.Host, c.Last.Status, shape(err))
}

// Misconfigured returns the failure for something that is configured and can't work.
func Misconfigured(hint, format string, args ...any) *failure.Failure {
	return failure.New(failure.Misconfigured, hint, format, args...)
}

// cause is an error with all that is known about it.
type cause struct {
	Facts
	err error
	// code, message and action are of AWS's answer; action is "ecr:GetAuthorizationToken", as IAM
	// policies name it.
	code, message, action string
	// noKeys and setKeys begin the reason and the hint of a failure of the metadata service.
	noKeys, setKeys string
}

// row explains one cause. The words in braces are those of [cause.expand].
type row struct {
	when         condition
	kind         failure.Kind
	reason, hint string
}

// find explains the cause by the first row whose condition holds, or returns nil.
func (c cause) find(table []row) *failure.Failure {
	for _, r := range table {
		if r.when(c) {
			return failure.New(r.kind, c.expand(r.hint), "%s", c.expand(r.reason))
		}
	}
	return nil
}

// expand replaces the words in braces.
func (c cause) expand(text string) string {
	bearer := identity.Bearer(c.Principal.WebIdentityToken)
	if bearer != "" {
		bearer = " (" + bearer + ")"
	}
	return strings.NewReplacer(
		"{host}", c.Last.Host,
		"{status}", strconv.Itoa(c.Last.Status),
		"{code}", c.code,
		"{message}", c.message,
		"{action}", c.action,
		"{role}", c.Role,
		"{bearer}", bearer,
		"{variable}", c.Principal.WebIdentityTokenEnv,
		"{source}", c.Source,
		"{proxy}", c.proxy().Error(),
		"{name}", c.unknownName(),
		"{why}", c.connectionProblem(),
		"{no keys}", c.noKeys,
		"{set keys}", c.setKeys,
	).Replace(text)
}

// condition reports whether a row is about a cause.
type condition func(cause) bool

// all is the condition that each of the conditions holds.
func all(conditions ...condition) condition {
	return func(c cause) bool {
		return !slices.ContainsFunc(conditions, func(holds condition) bool { return !holds(c) })
	}
}

func always(cause) bool { return true }

// status is the condition that one of these statuses came. 0 is for no answer.
func status(statuses ...int) condition {
	return func(c cause) bool { return slices.Contains(statuses, c.Last.Status) }
}

func statusFrom(least int) condition {
	return func(c cause) bool { return c.Last.Status >= least }
}

// noRequest is the condition that nothing was asked.
func noRequest(c cause) bool { return c.Last.Host == "" }

// isA is the condition that the error is or wraps one of a type.
func isA[T error](c cause) bool {
	_, ok := errors.AsType[T](c.err)
	return ok
}

// configProblem returns the SDK's words for what is wrong before anything was asked.
// They name files, profiles and values, but a URL can hold a password.
func configProblem(err error) string {
	if _, ok := errors.AsType[*url.Error](err); ok {
		return "a URL in it can't be read"
	}
	return err.Error()
}

// shape returns the part of an error that holds nothing of the answer.
func shape(err error) string {
	if _, ok := errors.AsType[*smithy.DeserializationError](err); ok {
		return "it isn't what AWS sends"
	}
	if op, ok := errors.AsType[*smithy.OperationError](err); ok {
		return op.OperationName + " failed"
	}
	return err.Error()
}
