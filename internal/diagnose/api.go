package diagnose

import (
	"errors"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"docker-credential-ecr-login/internal/failure"
)

// The codes of AWS's services for the same thing. See
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
var (
	isDenied  = code("AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "IDPRejectedClaim")
	isExpired = code("ExpiredToken", "ExpiredTokenException", "RequestExpired")
	isBadKey  = code("UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure")
)

// apiTable explains what AWS itself answers.
var apiTable = []row{
	{isThrottled, failure.Unavailable, "{host} throttles: too many calls of {action}",
		"try again later, or let fewer jobs begin at once"},
	{statusFrom(500), failure.Unavailable, "{host} answered {status} to {action} ({code})",
		"try again; see the AWS health dashboard if it stays so"},
	{code("InvalidIdentityToken"), failure.Denied,
		"{host} refuses the web identity token for {role}{bearer}: {message}",
		"make the token's issuer an identity provider of the role's account, for that audience"},
	{all(isExpired, byWebIdentity, isSentToken), failure.Expired,
		"the web identity token for {role} has expired",
		"see the clocks of the node and of the API server: the kubelet has sent it just now"},
	{all(isExpired, byWebIdentity, isVariable), failure.Expired,
		"the web identity token for {role} has expired", "put a new one into {variable}"},
	{all(isExpired, byWebIdentity), failure.Expired, "the web identity token for {role} has expired",
		"see what ought to renew its file"},
	{isExpired, failure.Expired, "the credentials have expired; they come from: {source}", "get new ones"},
	{all(isDenied, of("sts:AssumeRole")), failure.Denied, "may not assume {role}: {message}",
		"let the role's trust policy name that principal, and the principal's own policy allow sts:AssumeRole on the role"},
	{all(isDenied, byWebIdentity), failure.Denied,
		"may not assume {role} with the web identity token{bearer}: {message}",
		"let the role's trust policy name the token's issuer, audience and subject"},
	{all(isDenied, of("ecr-public:GetAuthorizationToken")), failure.Denied,
		"{action} is denied: {message}",
		"allow {action} and sts:GetServiceBearerToken on resource *"},
	{isDenied, failure.Denied, "{action} is denied: {message}",
		"allow {action} on resource * in a policy of that principal"},
	{isBadKey, failure.Denied, "{host} doesn't know the access key ({code}); it comes from: {source}",
		"see whether the key was deleted, or its session token is missing or of another key"},
	{isOtherRegion, failure.Misconfigured,
		"{host} is of another region than the one that was signed for ({code}): {message}",
		"correct the region, or the endpoint that AWS_ENDPOINT_URL… or endpoint_url names"},
	{code("RegionDisabledException"), failure.Denied, "{host} refuses {action}: {code}: {message}",
		"activate STS for that region in the account settings of IAM, or set AWS_REGION to a region in which it is active"},
	{isWrongTime, failure.Unavailable, "the clock here is too far from that of {host} ({code})", "set the clock"},
	// The message quotes the request, its session token included.
	{isBadSignature, failure.Denied,
		"{host} refuses the signature ({code}); the keys come from: {source}",
		"see whether the secret key is right, and the clock"},
	{isFromAWS, failure.Unavailable, "{host} refuses {action}: {code}: {message}", ""},
}

// api explains what AWS itself answered.
func (c cause) api() *failure.Failure {
	answer, ok := errors.AsType[smithy.APIError](c.err)
	op := innermost(c.err)
	if op == nil || !ok {
		return nil
	}
	c.code, c.message = answer.ErrorCode(), answer.ErrorMessage()
	c.action = strings.ReplaceAll(strings.ToLower(op.ServiceID), " ", "-") + ":" + op.OperationName
	return c.find(apiTable)
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

func code(codes ...string) condition {
	return func(c cause) bool { return slices.Contains(codes, c.code) }
}

func of(action string) condition {
	return func(c cause) bool { return c.action == action }
}

var byWebIdentity = of("sts:AssumeRoleWithWebIdentity")

func isThrottled(c cause) bool {
	_, ok := retry.DefaultThrottleErrorCodes[c.code]
	return ok || c.Last.Status == 429
}

func isSentToken(c cause) bool { return c.Principal.WebIdentityToken != "" }

func isVariable(c cause) bool { return c.Principal.WebIdentityTokenEnv != "" }

func isOtherRegion(c cause) bool { return strings.Contains(c.message, "scoped to a valid region") }

func isWrongTime(c cause) bool {
	return c.code == "RequestTimeTooSkewed" || strings.HasPrefix(c.message, "Signature expired") ||
		strings.HasPrefix(c.message, "Signature not yet current")
}

func isBadSignature(c cause) bool { return strings.Contains(c.code, "Signature") }

// isFromAWS is false for an answer without AWS's form, such as a portal's.
func isFromAWS(c cause) bool { return c.code != "UnknownError" }
