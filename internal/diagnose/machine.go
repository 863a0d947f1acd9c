package diagnose

import (
	"fmt"
	"strings"

	"github.com/aws/aws-sdk-go-v2/feature/ec2/imds"

	"docker-credential-ecr-login/internal/failure"
)

const hopLimit = "in a container on EC2, raise the instance's metadata hop limit to 2 " +
	"(aws ec2 modify-instance-metadata-options --instance-id ID --http-put-response-hop-limit 2)"

// metadataTable explains what the instance metadata service answers.
var metadataTable = []row{
	{noRequest, failure.Misconfigured,
		"{no keys}the instance metadata service is turned off (AWS_EC2_METADATA_DISABLED)",
		"{set keys}, or mount ~/.aws"},
	{status(401), failure.Unavailable,
		"{no keys}the instance metadata service wants a session token (401), which did not come through",
		hopLimit},
	// Denied, so that no token of a role that the instance had is served any more.
	{status(404), failure.Denied, "{no keys}the instance has no role", "attach an instance profile, or {set keys}"},
	{status(200), failure.Unavailable,
		"{no keys}the instance metadata service at {host} gave none that can be used",
		"see whether the instance's role is still there"},
	{statusFrom(1), failure.Unavailable,
		"{no keys}the instance metadata service at {host} answered {status}",
		"try again; if it stays so, look at the instance's metadata options"},
	{isTimeout, failure.Timeout, "{no keys}the instance metadata service at {host} is silent",
		"{set keys}, or mount ~/.aws; " + hopLimit},
	{always, failure.Misconfigured,
		"{no keys}the instance metadata service at {host} can't be reached",
		"{set keys}, or mount ~/.aws; " + hopLimit},
}

// metadata explains why the instance metadata service gave no credentials.
func (c cause) metadata() *failure.Failure {
	op := innermost(c.err)
	// If the time ends meanwhile, the SDK doesn't say what it waited for. Another service may be on
	// the same host, in a stand-in for AWS.
	if (op == nil || op.ServiceID != imds.ServiceID) && (!c.Last.OfMachine || c.Last.Host != c.MetadataHost) {
		return nil
	}
	c.setKeys = "set AWS_PROFILE or AWS_ACCESS_KEY_ID"
	profile := c.Principal.Profile
	if profile != "" {
		c.setKeys = "give the profile credentials"
	}
	switch {
	case c.NamesMetadata:
		c.noKeys = "no credentials: "
	case profile != "":
		c.noKeys = fmt.Sprintf("%s: profile %q has no credentials, and ", c.Where, profile)
	case len(c.HiddenFiles) > 0:
		c.noKeys = fmt.Sprintf("no credentials in the environment or what can be seen of the AWS configuration "+
			"(not %s, as this user can't read a directory above it), and ", strings.Join(c.HiddenFiles, ", "))
	default:
		c.noKeys = "no credentials in the environment or the AWS configuration, and "
	}
	return c.find(metadataTable)
}

const containerHint = "see whether the task or the pod has a role, and the AWS_CONTAINER_* variables are those of this container"

// containerTable explains what the container credentials endpoint answers.
var containerTable = []row{
	{statusFrom(500), failure.Unavailable, noContainer + "answered {status}", "try again"},
	{status(429), failure.Unavailable, noContainer + "answered {status}", "try again"},
	{status(401, 403), failure.Denied, noContainer + "refuses ({status})", containerHint},
	{statusFrom(400), failure.Unavailable, noContainer + "answered {status}", containerHint},
	{statusFrom(1), failure.Unavailable, noContainer + "gave no credentials", containerHint},
	{isTimeout, failure.Timeout, noContainer + "is silent", containerHint},
	{always, failure.Unavailable, noContainer + "can't be reached", containerHint},
}

const noContainer = "no credentials: the container credentials endpoint {host} "

// container explains why the container credentials endpoint gave no credentials.
func (c cause) container() *failure.Failure {
	if !c.Last.OfMachine || c.Last.Host != c.ContainerHost {
		return nil
	}
	return c.find(containerTable)
}
