package diagnose

import (
	"fmt"
	"net/http"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"docker-credential-ecr-login/cache"
)

const hopLimit = "in a container on EC2, raise the instance's metadata hop limit to 2 " +
	"(aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2)"

func (c Facts) ofMetadata(err error) *cache.Failure {
	last := c.Last
	op := innermost(err)
	// Where the time ends meanwhile, the SDK doesn't say what it waited for.
	// Another service may be on the same host, in a stand-in for AWS.
	if (op == nil || op.ServiceID != imds.ServiceID) && (!last.OfMachine || last.Host != c.MetadataHost) {
		return nil
	}
	where := "the AWS configuration"
	if hidden := c.HiddenFiles; len(hidden) > 0 {
		where = fmt.Sprintf("what can be seen of the AWS configuration (not %s, as this user can't read a directory above it)", strings.Join(hidden, ", "))
	}
	prefix, setKeys := "no credentials in the environment or "+where+", and ", "set AWS_PROFILE or AWS_ACCESS_KEY_ID"
	if profile := c.Principal.Profile; profile != "" {
		prefix = fmt.Sprintf("%s: profile %q has no credentials, and ", c.Where, profile)
		setKeys = "give the profile credentials"
	}
	if c.NamesMetadata {
		prefix = "no credentials: "
	}
	switch {
	case last.Host == "":
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: prefix + "the instance metadata service is turned off (AWS_EC2_METADATA_DISABLED)",
			Hint:   setKeys + ", or mount ~/.aws",
		}
	case last.Status == http.StatusUnauthorized:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: prefix + "the instance metadata service wants a session token (401), which did not come through",
			Hint:   hopLimit,
		}
	case last.Status == http.StatusNotFound:
		return &cache.Failure{
			Kind:   cache.Denied, // so that no token of a role that it had is served any more
			Reason: prefix + "the instance has no role",
			Hint:   "attach an instance profile, or " + setKeys,
		}
	case last.Status == http.StatusOK:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("%sthe instance metadata service at %s gave none that can be used", prefix, last.Host),
			Hint:   "see whether the instance's role is still there",
		}
	case last.Status != 0:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("%sthe instance metadata service at %s answered %d", prefix, last.Host, last.Status),
			Hint:   "try again; if it stays so, look at the instance's metadata options",
		}
	}
	f := &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: fmt.Sprintf("%sthe instance metadata service at %s can't be reached", prefix, last.Host),
		Hint:   setKeys + ", or mount ~/.aws; " + hopLimit,
	}
	if isTimeout(err) {
		f.Kind = cache.Timeout
		f.Reason = fmt.Sprintf("%sthe instance metadata service at %s is silent", prefix, last.Host)
	}
	return f
}

func (c Facts) ofContainer(err error) *cache.Failure {
	last := c.Last
	if !last.OfMachine || last.Host != c.ContainerHost {
		return nil
	}
	f := &cache.Failure{
		Kind: cache.Unavailable,
		Hint: "see whether the task or the pod has a role, and the AWS_CONTAINER_* variables are those of this container",
	}
	what := "can't be reached"
	switch {
	case last.Status >= 500 || last.Status == http.StatusTooManyRequests:
		what, f.Hint = fmt.Sprintf("answered %d", last.Status), "try again"
	case last.Status == http.StatusUnauthorized || last.Status == http.StatusForbidden:
		what, f.Kind = fmt.Sprintf("refuses (%d)", last.Status), cache.Denied
	case last.Status >= 400:
		what = fmt.Sprintf("answered %d", last.Status)
	case last.Status != 0:
		what = "gave no credentials"
	case isTimeout(err):
		what, f.Kind = "is silent", cache.Timeout
	}
	f.Reason = fmt.Sprintf("no credentials: the container credentials endpoint %s %s", last.Host, what)
	return f
}
