package awsapi

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"docker-credential-ecr-login/cache"
)

// lastProfile is the one that has the credentials, nil where none has.
func (c *chain) lastProfile() *config.SharedConfig {
	profiles := c.profiles()
	if len(profiles) == 0 {
		return nil
	}
	return profiles[len(profiles)-1]
}

const hopLimit = "in a container on EC2, raise the instance's metadata hop limit to 2 " +
	"(aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2)"

func (c *chain) ofMetadata(err error) *cache.Failure {
	last, _ := c.requests.lastCall()
	op := innermost(err)
	// Where the time ends meanwhile, the SDK doesn't say what it waited for.
	// Another service may be on the same host, in a stand-in for AWS.
	if (op == nil || op.ServiceID != imds.ServiceID) && (!last.ofMachine || last.host != c.metadataHost()) {
		return nil
	}
	where := "the AWS configuration"
	if hidden := c.hidden(); len(hidden) > 0 {
		where = fmt.Sprintf("what can be seen of the AWS configuration (not %s, as this user can't read a directory above it)", strings.Join(hidden, ", "))
	}
	prefix, setKeys := "no credentials in the environment or "+where+", and ", "set AWS_PROFILE or AWS_ACCESS_KEY_ID"
	if profile := c.request.Principal.Profile; profile != "" {
		prefix = fmt.Sprintf("%s: profile %q has no credentials, and ", c.request.Where, profile)
		setKeys = "give the profile credentials"
	}
	if c.namesMetadata() {
		prefix = "no credentials: "
	}
	switch {
	case last.host == "":
		return &cache.Failure{
			Kind:   cache.Misconfigured,
			Reason: prefix + "the instance metadata service is turned off (AWS_EC2_METADATA_DISABLED)",
			Hint:   setKeys + ", or mount ~/.aws",
		}
	case last.status == http.StatusUnauthorized:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: prefix + "the instance metadata service wants a session token (401), which did not come through",
			Hint:   hopLimit,
		}
	case last.status == http.StatusNotFound:
		return &cache.Failure{
			Kind:   cache.Denied, // so that no token of a role that it had is served any more
			Reason: prefix + "the instance has no role",
			Hint:   "attach an instance profile, or " + setKeys,
		}
	case last.status == http.StatusOK:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("%sthe instance metadata service at %s gave none that can be used", prefix, last.host),
			Hint:   "see whether the instance's role is still there",
		}
	case last.status != 0:
		return &cache.Failure{
			Kind:   cache.Unavailable,
			Reason: fmt.Sprintf("%sthe instance metadata service at %s answered %d", prefix, last.host, last.status),
			Hint:   "try again; if it stays so, look at the instance's metadata options",
		}
	}
	f := &cache.Failure{
		Kind:   cache.Misconfigured,
		Reason: fmt.Sprintf("%sthe instance metadata service at %s can't be reached", prefix, last.host),
		Hint:   setKeys + ", or mount ~/.aws; " + hopLimit,
	}
	if isTimeout(err) {
		f.Kind = cache.Timeout
		f.Reason = fmt.Sprintf("%sthe instance metadata service at %s is silent", prefix, last.host)
	}
	return f
}

// metadataHost is where the instance metadata service is.
func (c *chain) metadataHost() string {
	for _, source := range c.cfg.ConfigSources {
		s, ok := source.(interface{ GetEC2IMDSEndpoint() (string, bool, error) })
		if !ok {
			continue
		}
		endpoint, found, _ := s.GetEC2IMDSEndpoint()
		if at, err := url.Parse(endpoint); found && err == nil {
			return at.Host
		}
	}
	return "169.254.169.254"
}

func (c *chain) ofContainer(err error) *cache.Failure {
	last, _ := c.requests.lastCall()
	if !last.ofMachine || last.host != c.containerHost() {
		return nil
	}
	f := &cache.Failure{
		Kind: cache.Unavailable,
		Hint: "see whether the task or the pod has a role, and the AWS_CONTAINER_* variables are those of this container",
	}
	what := "can't be reached"
	switch {
	case last.status >= 500 || last.status == http.StatusTooManyRequests:
		what, f.Hint = fmt.Sprintf("answered %d", last.status), "try again"
	case last.status == http.StatusUnauthorized || last.status == http.StatusForbidden:
		what, f.Kind = fmt.Sprintf("refuses (%d)", last.status), cache.Denied
	case last.status >= 400:
		what = fmt.Sprintf("answered %d", last.status)
	case last.status != 0:
		what = "gave no credentials"
	case isTimeout(err):
		what, f.Kind = "is silent", cache.Timeout
	}
	f.Reason = fmt.Sprintf("no credentials: the container credentials endpoint %s %s", last.host, what)
	return f
}

// containerHost is where a container's credentials are, empty where there is no
// such place. The SDK has its own address for a path alone.
func (c *chain) containerHost() string {
	if c.request.Env.Get("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI") != "" {
		return "169.254.170.2"
	}
	full, err := url.Parse(c.request.Env.Get("AWS_CONTAINER_CREDENTIALS_FULL_URI"))
	if err != nil {
		return ""
	}
	return full.Host
}
