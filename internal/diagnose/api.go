package diagnose

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws/retry"
	"github.com/aws/smithy-go"

	"docker-credential-ecr-login/cache"
	"docker-credential-ecr-login/internal/identity"
)

// The codes of AWS's services for the same thing. See
// https://docs.aws.amazon.com/STS/latest/APIReference/CommonErrors.html and
// https://docs.aws.amazon.com/AmazonECR/latest/APIReference/CommonErrors.html
var (
	deniedCodes = []string{"AccessDenied", "AccessDeniedException", "UnauthorizedOperation", "IDPRejectedClaim"}
	lapsedCodes = []string{"ExpiredToken", "ExpiredTokenException", "RequestExpired"}
	keyCodes    = []string{"UnrecognizedClientException", "InvalidClientTokenId", "InvalidAccessKeyId", "AuthFailure"}
)

// ofAPI tells of what AWS said itself.
func (c Facts) ofAPI(err error) *cache.Failure {
	var said smithy.APIError
	op := innermost(err)
	if op == nil || !errors.As(err, &said) {
		return nil
	}
	last := c.Last
	code, message := said.ErrorCode(), said.ErrorMessage()
	action := actionOf(op)
	switch {
	case isThrottle(code) || last.Status == 429:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("%s throttles: too many calls of %s", last.Host, action),
			Hint:   "try again later, or let fewer jobs begin at once",
		}
	case last.Status >= 500:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("%s answered %d to %s (%s)", last.Host, last.Status, action, code),
			Hint:   "try again; see the AWS health dashboard if it stays so",
		}
	case code == "InvalidIdentityToken":
		role := c.Role
		return &cache.Failure{
			Kind:   cache.Denied,
			Reason: fmt.Sprintf("%s refuses the web identity token for %s%s: %s", last.Host, role, c.ofBearer(), message),
			Hint:   "make the token's issuer an identity provider of the role's account, for that audience",
		}
	case slices.Contains(lapsedCodes, code):
		return c.ofLapse(action)
	case slices.Contains(deniedCodes, code):
		return c.ofDenial(action, message)
	case slices.Contains(keyCodes, code):
		return &cache.Failure{
			Kind:   cache.Denied,
			Reason: fmt.Sprintf("%s doesn't know the access key (%s); it comes from: %s", last.Host, code, c.Source),
			Hint:   "see whether the key was deleted, or its session token is missing or of another key",
		}
	case strings.Contains(message, "scoped to a valid region"):
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: fmt.Sprintf("%s is of another region than the one that was signed for (%s): %s", last.Host, code, message),
			Hint:   "correct the region, or the endpoint that AWS_ENDPOINT_URL… or endpoint_url names",
		}
	case code == "RegionDisabledException":
		return &cache.Failure{
			Kind:   cache.Denied,
			Reason: fmt.Sprintf("%s refuses %s: %s: %s", last.Host, action, code, message),
			Hint:   "activate STS for that region in the account settings of IAM, or set AWS_REGION to a region in which it is active",
		}
	case code == "RequestTimeTooSkewed", strings.HasPrefix(message, "Signature expired"), strings.HasPrefix(message, "Signature not yet current"):
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("the clock here is too far from that of %s (%s)", last.Host, code),
			Hint:   "set the clock",
		}
	case strings.Contains(code, "Signature"):
		// The message quotes the request, its session token included.
		return &cache.Failure{
			Kind:   cache.Denied,
			Reason: fmt.Sprintf("%s refuses the signature (%s); the keys come from: %s", last.Host, code, c.Source),
			Hint:   "see whether the secret key is right, and the clock",
		}
	}
	if code == "UnknownError" {
		return nil // it isn't AWS that answers
	}
	return &cache.Failure{
		Kind:   cache.Unavailable,
		Reason: fmt.Sprintf("%s refuses %s: %s: %s", last.Host, action, code, message),
	}
}

func (c Facts) ofDenial(action, message string) *cache.Failure {
	role := c.Role
	f := &cache.Failure{Kind: cache.Denied}
	switch action {
	case "sts:AssumeRole":
		f.Reason = fmt.Sprintf("may not assume %s: %s", role, message)
		f.Hint = "let the role's trust policy name that principal, and the principal's own policy allow sts:AssumeRole on the role"
	case "sts:AssumeRoleWithWebIdentity":
		f.Reason = fmt.Sprintf("may not assume %s with the web identity token%s: %s", role, c.ofBearer(), message)
		f.Hint = "let the role's trust policy name the token's issuer, audience and subject"
	default:
		f.Reason = fmt.Sprintf("%s is denied: %s", action, message)
		f.Hint = fmt.Sprintf("allow %s on resource * in a policy of that principal", action)
		if strings.HasPrefix(action, "ecr-public:") {
			f.Hint = fmt.Sprintf("allow %s and sts:GetServiceBearerToken on resource *", action)
		}
	}
	return f
}

// ofBearer tells, in brackets, whose web identity token the question holds, if it does.
func (c Facts) ofBearer() string {
	bearer := identity.Bearer(c.Principal.WebIdentityToken)
	if bearer == "" {
		return ""
	}
	return " (" + bearer + ")"
}

func (c Facts) ofLapse(action string) *cache.Failure {
	if action == "sts:AssumeRoleWithWebIdentity" {
		role := c.Role
		f := &cache.Failure{
			Kind:   cache.Expired,
			Reason: fmt.Sprintf("the web identity token for %s has expired", role),
			Hint:   "see what ought to renew its file",
		}
		if name := c.Principal.WebIdentityTokenEnv; name != "" {
			f.Hint = fmt.Sprintf("put a new one into %s", name)
		}
		if c.Principal.WebIdentityToken != "" {
			f.Hint = "see the clocks of the node and of the API server: the kubelet has sent it just now"
		}
		return f
	}
	return &cache.Failure{
		Kind:   cache.Expired,
		Reason: fmt.Sprintf("the credentials have expired; they come from: %s", c.Source),
		Hint:   "get new ones",
	}
}

// actionOf is the operation as IAM policies name it.
func actionOf(op *smithy.OperationError) string {
	service := strings.ReplaceAll(strings.ToLower(op.ServiceID), " ", "-")
	return service + ":" + op.OperationName
}

func isThrottle(code string) bool {
	_, ok := retry.DefaultThrottleErrorCodes[code]
	return ok
}
